package sessions_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/sessions"
)

