package source

import "errors"

// ErrExpired says that the server no longer has the changes since the given
// resource version (410 Gone): read again, then watch from there.
var ErrExpired = errors.New("the watch expired: read again")
