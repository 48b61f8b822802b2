package snapshot

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// mostInflated is how many times its packed size a file may have, once it is
// larger than freely. A recording of one pod over and over has about a hundred
// times; the compression reaches a thousand.
const (
	mostInflated = 300
	freely       = 64 << 20 // bytes
)

// errInflated is what a bomb says.
var errInflated = fmt.Errorf("it unpacks to more than %d times its size, as no dump or recording does: look into it first, with gzip -dc FILE | head -c 1000", mostInflated)

// unpack goes by content, not by name: what gzip packed is unpacked.
func unpack(br *bufio.Reader) (*bufio.Reader, error) {
	if magic, _ := br.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return br, nil
	}
	in := &counter{r: br}
	gz, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(&inflater{gz: gz, in: in}, 64<<10), nil
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// inflater ends where what comes out is out of proportion to what went in.
type inflater struct {
	gz  *gzip.Reader
	in  *counter
	out int64
}

func (i *inflater) Read(p []byte) (int, error) {
	n, err := i.gz.Read(p)
	if i.out += int64(n); i.out > freely && i.out > mostInflated*i.in.n {
		return 0, errInflated
	}
	return n, err
}
