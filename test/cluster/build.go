package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// binaries are the paths of the built programs.
type binaries struct {
	Kube       string `json:"kube"` // the folder of kube-apiserver, kubelet, kubectl …
	CoreDNS    string `json:"coredns"`
	Labhost    string `json:"labhost"`
	TestServer string `json:"testServer"`
}

// kube returns the path of one face of the program that holds them all.
func (b binaries) kube(face string) string { return filepath.Join(b.Kube, face) }

// program is one Go program that the cluster needs.
type program struct {
	name    string
	module  string // the module's folder below this one
	pkg     string // below the module's folder
	ldflags string
	faces   []string // further names of the built file
	note    string   // what to know while it is built
}

func programs() []program {
	stamp := "-X k8s.io/component-base/version."
	return []program{
		// Without its version, clients cannot parse what the API server says of itself.
		{name: "kube", module: "kube", pkg: ".",
			ldflags: stamp + "gitVersion=" + Version + " " + stamp + "gitMajor=1 " + stamp + "gitMinor=36",
			faces:   []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "etcd", "kubectl"},
			note:    " (the first time takes about seven minutes)"},
		{name: "coredns", module: "dns", pkg: "."},
		{name: "labhost", module: ".", pkg: "./cmd/labhost"},
		{name: "testserver", module: ".", pkg: "./testserver"},
	}
}

// build returns the programs, building those whose sources or Go version are
// new to this user's cache. A cold build of Kubernetes takes minutes.
func build(ctx context.Context, say func(string, ...any)) (binaries, error) {
	source, err := goOutput(ctx, "", "list", "-m", "-f", "{{.Dir}}", Module)
	if err != nil {
		return binaries{}, fmt.Errorf("find the cluster's sources: %w; run inside a Go module that requires %s", err, Module)
	}
	version, err := goOutput(ctx, "", "env", "GOVERSION")
	if err != nil {
		return binaries{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return binaries{}, fmt.Errorf("find a folder for the built programs: %w", err)
	}
	paths := map[string]string{}
	for _, p := range programs() {
		key, err := sourceKey(filepath.Join(source, p.module), version+p.ldflags)
		if err != nil {
			return binaries{}, fmt.Errorf("build %s: %w", p.name, err)
		}
		dir := filepath.Join(cache, "leadsman", "bin", p.name+"-"+key)
		if err := p.build(ctx, source, dir, say); err != nil {
			return binaries{}, err
		}
		paths[p.name] = filepath.Join(dir, p.name)
	}
	return binaries{
		Kube: filepath.Dir(paths["kube"]), CoreDNS: paths["coredns"],
		Labhost: paths["labhost"], TestServer: paths["testserver"],
	}, nil
}

func (p program) build(ctx context.Context, source, dir string, say func(string, ...any)) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	say("building %s%s", p.name, p.note)
	// The folder gets its name when it is complete, so that a build that was
	// interrupted is not taken for one.
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("build %s: %w", p.name, err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "building-")
	if err != nil {
		return fmt.Errorf("build %s: %w", p.name, err)
	}
	defer os.RemoveAll(temp)
	_, err = goOutput(ctx, filepath.Join(source, p.module), "build", "-trimpath", "-ldflags", "-s -w "+p.ldflags, "-o", filepath.Join(temp, p.name), p.pkg)
	if err != nil {
		return fmt.Errorf("build %s: %w", p.name, err)
	}
	for _, face := range p.faces {
		if err := os.Symlink(p.name, filepath.Join(temp, face)); err != nil {
			return fmt.Errorf("build %s: %w", p.name, err)
		}
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return fmt.Errorf("build %s: %w", p.name, err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return fmt.Errorf("build %s: %w", p.name, err)
	}
	return nil
}

// sourceKey hashes the Go files of one module, without its tests and without
// the modules nested in it.
func sourceKey(module, salt string) (string, error) {
	var files []string
	err := filepath.WalkDir(module, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && path != module {
				return fs.SkipDir
			}
			return nil
		}
		name := d.Name()
		if name == "go.mod" || name == "go.sum" || strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	sort.Strings(files)
	hash := sha256.New()
	fmt.Fprintln(hash, salt)
	for _, path := range files {
		name, err := filepath.Rel(module, path)
		if err != nil {
			return "", err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n", name, len(data))
		hash.Write(data) // a hash does not fail
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}

func goOutput(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
