// Command lookup resolves each name that it is given with Go's own resolver,
// between marks that a DNS server's log shows.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	resolver := &net.Resolver{PreferGo: true}
	for i, name := range os.Args[2:] {
		for _, n := range []string{fmt.Sprintf("%s-%d.mark.", os.Args[1], i), name} {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			addresses, err := resolver.LookupHost(ctx, n)
			cancel()
			fmt.Println(n, addresses, err)
			time.Sleep(200 * time.Millisecond) // so that logs can be told apart
		}
	}
}
