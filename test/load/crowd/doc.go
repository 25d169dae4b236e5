// Package crowd is clients that nobody wants: too many, idle, slow, or never reading what they asked for.
package crowd
