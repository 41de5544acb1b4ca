package httpapi

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/internal/api"
)

type wellKnownOutput struct {
	CacheControl string `header:"Cache-Control" doc:"The answer may be kept for five minutes."`
	Body         api.WellKnown
}

// wellKnown tells computers that know only a name where the server is. It is the one answer that may be kept: every computer of a
// site asks for it, and it changes with the configuration only.
func (h *Handler) wellKnown(context.Context, *struct{}) (*wellKnownOutput, error) {
	return &wellKnownOutput{CacheControl: fmt.Sprintf("max-age=%d", int(api.WellKnownFresh.Seconds())), Body: h.WellKnown()}, nil
}
