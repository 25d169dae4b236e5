package routers

//go:generate go tool swag init --dir ../controller,../model,../peer,../raft --generalInfo doc.go --output ../docs/swagger --parseFuncBody --quiet
