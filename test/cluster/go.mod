module github.com/leadsman-dev/leadsman/test/cluster

go 1.26.0
