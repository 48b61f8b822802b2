package arch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// licences are told by a sentence that only their text has.
var licences = []struct{ name, sentence string }{
	{"Apache-2.0", "Apache License Version 2.0"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"BSD", "Redistribution and use in source and binary forms, with or without modification"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose"},
	{"ISC", "Permission to use, copy, modify, and distribute this software for any purpose"},
}

// The binaries are Apache-2.0; whoever ships them must be able to.
func TestEveryLinkedModuleHasAPermissiveLicence(t *testing.T) {
	all, err := list("-deps", "./cmd/...")
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]string{}
	for _, p := range all {
		if p.Module != nil && !p.Module.Main {
			dirs[p.Module.Path+" "+p.Module.Version] = p.Module.Dir
		}
	}
	if len(dirs) < 10 {
		t.Fatalf("only %d modules found", len(dirs))
	}
	for module, dir := range dirs {
		found, err := licencesIn(dir)
		switch {
		case err != nil:
			t.Error(err)
		case len(found) == 0:
			t.Errorf("%s: no licence file with a permissive licence in %s", module, dir)
		}
	}
}

func licencesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		name := strings.ToUpper(e.Name())
		if e.IsDir() || !strings.HasPrefix(name, "LICEN") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		oneLine := strings.Join(strings.Fields(string(text)), " ")
		for _, l := range licences {
			if strings.Contains(oneLine, l.sentence) && !slices.Contains(found, l.name) {
				found = append(found, l.name)
			}
		}
	}
	return found, nil
}
