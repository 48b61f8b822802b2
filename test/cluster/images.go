package cluster

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/leadsman-dev/leadsman/test/cluster/image"
)

const (
	pauseImage   = "registry.k8s.io/pause:3.10"
	corednsImage = "registry.k8s.io/coredns/coredns:v1.15.0"
)

// served are the images that run package testserver, by the name that it
// answers with: where they listen, and the tags there are.
func served() []struct {
	name, port string
	tags       []string
} {
	return []struct {
		name, port string
		tags       []string
	}{
		{"nginx", "80", []string{"latest", "1.25", "1.26"}},
		{"mongo", "27017", []string{"latest"}},
		{"redis", "6379", []string{"latest", "7"}},
		{"postgres", "5432", []string{"16"}},
		{"netapp", "8080", []string{"v1", "v2", "v3"}},
	}
}

func busyboxTags() []string { return []string{"latest", "1", "1.33.1", "1.36"} }

// Images are the images that the cluster can run, as a user writes them. Any
// other image is refused by the registry, as an unknown one is.
func Images() []string {
	names := []string{pauseImage, corednsImage, "resolver:glibc", "resolver:musl", "resolver:go"}
	for _, tag := range busyboxTags() {
		names = append(names, "busybox:"+tag)
	}
	for _, s := range served() {
		for _, tag := range s.tags {
			names = append(names, s.name+":"+tag)
		}
	}
	return names
}

// buildImages writes all images as a layout, for the registry, and as an
// archive, for the nodes.
func (f folder) buildImages(ctx context.Context, b binaries) error {
	images, err := allImages(ctx, b)
	if err != nil {
		return fmt.Errorf("build the images: %w", err)
	}
	if err := os.RemoveAll(f.images()); err != nil {
		return fmt.Errorf("build the images: %w", err)
	}
	if err := image.WriteLayout(f.images(), images); err != nil {
		return err
	}
	return image.Archive(f.images(), f.join("images.tar"))
}

func allImages(ctx context.Context, b binaries) ([]image.Image, error) {
	tools, err := busyboxLayer(ctx)
	if err != nil {
		return nil, err
	}
	server, err := fileLayer(b.TestServer, "usr/bin/testserver")
	if err != nil {
		return nil, err
	}
	coredns, err := fileLayer(b.CoreDNS, "coredns")
	if err != nil {
		return nil, err
	}
	pause, err := compiledLayer(ctx, "pause")
	if err != nil {
		return nil, err
	}
	images := []image.Image{
		{Name: pauseImage, Layers: [][]byte{pause}, Entrypoint: []string{"/usr/bin/pause"}},
		{Name: corednsImage, Layers: [][]byte{coredns}, Entrypoint: []string{"/coredns"}, Ports: []string{"53/udp", "53/tcp"}},
	}
	for _, tag := range busyboxTags() {
		images = append(images, image.Image{Name: hub("busybox", tag), Layers: [][]byte{tools}, Cmd: []string{"sh"}, Env: []string{"BUSYBOX=" + tag}})
	}
	for _, s := range served() {
		for _, tag := range s.tags {
			images = append(images, image.Image{
				Name: hub(s.name, tag), Layers: [][]byte{tools, server}, Cmd: []string{"/usr/bin/testserver"},
				Env: []string{"NAME=" + s.name, "VERSION=" + tag, "LISTEN=:" + s.port}, Ports: []string{s.port + "/tcp"},
			})
		}
	}
	resolvers, err := resolverImages(ctx, tools, server)
	return append(images, resolvers...), err
}

func hub(name, tag string) string { return "docker.io/library/" + name + ":" + tag }

// busyboxLayer is a small system: busybox under all its names, and the folders
// and accounts that programs expect.
func busyboxLayer(ctx context.Context) ([]byte, error) {
	program, err := os.ReadFile(busybox)
	if err != nil {
		return nil, err
	}
	wget, err := imagePrograms.ReadFile("programs/wget.sh")
	if err != nil {
		return nil, err
	}
	applets, err := exec.CommandContext(ctx, busybox, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("list what busybox can do: %w", err)
	}
	files := []image.File{
		{Path: "bin/", Mode: 0o755}, {Path: "etc/", Mode: 0o755}, {Path: "root/", Mode: 0o700},
		{Path: "usr/", Mode: 0o755}, {Path: "usr/bin/", Mode: 0o755}, {Path: "var/", Mode: 0o755},
		{Path: "tmp/", Mode: 0o777 | os.ModeSticky},
		{Path: "etc/passwd", Mode: 0o644, Data: []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")},
		{Path: "etc/group", Mode: 0o644, Data: []byte("root:x:0:\nnogroup:x:65534:\n")},
		{Path: "bin/busybox", Mode: 0o755, Data: program},
		{Path: "bin/wget", Mode: 0o755, Data: wget},
	}
	for _, name := range strings.Fields(string(applets)) {
		if name != "busybox" && name != "wget" {
			files = append(files, image.File{Path: "bin/" + name, Link: "busybox"})
		}
	}
	return image.Layer(files...)
}

func fileLayer(source, target string) ([]byte, error) {
	data, err := os.ReadFile(source)
	if err != nil {
		return nil, err
	}
	return image.Layer(image.File{Path: target, Mode: 0o755, Data: data})
}

// resolverImages hold one resolver library each, for what they send to DNS
// differs: glibc's in getent, musl's in resolve, and Go's own in testserver,
// with FETCH. Each sleeps until someone executes its program.
func resolverImages(ctx context.Context, tools, server []byte) ([]image.Image, error) {
	musl, err := compiledLayer(ctx, "resolve")
	if err != nil {
		return nil, err
	}
	glibc, err := dynamicLayer(ctx, "/usr/bin/getent")
	if err != nil {
		return nil, err
	}
	var images []image.Image
	for tag, layer := range map[string][]byte{"musl": musl, "glibc": glibc, "go": server} {
		images = append(images, image.Image{Name: hub("resolver", tag), Layers: [][]byte{tools, layer}, Cmd: []string{"sleep", "1000000"}})
	}
	return images, nil
}

//go:embed programs
var imagePrograms embed.FS

// compiledLayer holds one of the C programs, linked with musl and nothing else.
func compiledLayer(ctx context.Context, name string) ([]byte, error) {
	source, err := imagePrograms.ReadFile("programs/" + name + ".c")
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "leadsman-compile-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	program := filepath.Join(temp, name)
	compile := exec.CommandContext(ctx, "musl-gcc", "-static", "-O2", "-x", "c", "-o", program, "-")
	compile.Stdin = bytes.NewReader(source)
	if out, err := compile.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile %s with musl: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return fileLayer(program, "usr/bin/"+name)
}

// dynamicLayer holds a program of this machine with the libraries that it
// loads, each where the program looks for it.
func dynamicLayer(ctx context.Context, program string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, "ldd", program).Output()
	if err != nil {
		return nil, fmt.Errorf("list the libraries of %s: %w", program, err)
	}
	paths := []string{program}
	for _, field := range strings.Fields(string(out)) {
		if filepath.IsAbs(field) {
			paths = append(paths, field)
		}
	}
	// The order of look-ups: the file, then DNS.
	files := []image.File{{Path: "etc/nsswitch.conf", Mode: 0o644, Data: []byte("hosts: files dns\n")}}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, image.File{Path: path, Mode: 0o755, Data: data})
	}
	return image.Layer(files...)
}
