package dns

// ladder is one resolver's way down the names.
type ladder struct {
	libc  Libc
	steps []Step
}
