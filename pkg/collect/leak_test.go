package collect

import (
	"testing"

	"go.uber.org/goleak"
)

// Whatever a test starts has ended when it has.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
