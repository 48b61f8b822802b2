package term

import "golang.org/x/sys/windows"

// interpretsEscapes switches the console to escape sequences, which Windows 10
// and later understand, and says whether it did.
func interpretsEscapes(stream any) bool {
	fd, ok := descriptor(stream)
	if !ok {
		return false
	}
	var mode uint32
	console := windows.Handle(fd)
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
