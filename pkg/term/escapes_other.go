//go:build !windows

package term

func interpretsEscapes(any) bool { return true }
