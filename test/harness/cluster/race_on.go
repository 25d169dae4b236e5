//go:build race

package cluster

const raceDetector = true

// Slowness is by how much longer everything takes than without the race detector, at a guess.
const Slowness = 3
