// Package world is a cluster that goes wrong on demand: a snapshot served as a
// real API server serves its store, and faults that can stand before it or,
// with a reverse proxy, before a real one. Its tests run every plugin through
// every fault and with every right taken away, and keep what is said then in
// docs/failures.md and docs/rights.md.
package world
