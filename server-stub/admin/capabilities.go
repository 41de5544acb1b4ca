package admin

import (
	"context"

	"github.com/platenprint/platen/internal/api"
)

// VerbCapabilities answers with api.Capabilities.
const VerbCapabilities = "capabilities"

func (s *Server) capabilities(ctx context.Context, _ Nothing) (api.Capabilities, error) {
	return s.Capabilities(ctx)
}
