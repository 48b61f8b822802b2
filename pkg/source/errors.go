package source

import "errors"

// ErrExpired says that the server no longer has the changes since the given
// resource version (410 Gone): read again, then watch from there.
var ErrExpired = errors.New("the watch expired: read again")

// WatchError says that a query cannot be followed, for a reason that no retry
// mends.
type WatchError struct {
	Reason Reason
	Err    error
}

func (e *WatchError) Error() string { return e.Err.Error() }

func (e *WatchError) Unwrap() error { return e.Err }
