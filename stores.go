package main

import (
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"versiond/config"
	"versiond/dao"
	"versiond/db"
	"versiond/raft/datadir"
	"versiond/service"
)

// memoryTTLReloads is how many reload intervals MemoryDB keeps what nobody reads.
const memoryTTLReloads = 3

// openServices opens the store and the caches: MySQL and Redis where they are configured, SQLite and
// MemoryDB alone where not.
func openServices(cfg config.Config, node config.Node, dir *datadir.Dir, log *slog.Logger, parts *closers) (*service.VersionMysqlService, *service.VersionRedisService, error) {
	store, err := openStore(cfg, node, dir, log)
	if err != nil {
		return nil, nil, err
	}
	parts.add(func() error { return db.Close(store.DB) })
	memory, err := dao.NewMemoryDB(cfg.MemoryDB.Capacity, cfg.MemoryDB.EvictRatio, memoryTTLReloads*cfg.Server.ReloadInterval, time.Now)
	if err != nil {
		return nil, nil, err
	}
	var redisDao *dao.VersionRedisDao
	if cfg.Redis.Addr != "" {
		client, err := db.OpenRedis(redisAccount(cfg.Redis))
		if err != nil {
			return nil, nil, err
		}
		parts.add(client.Close)
		redisDao = &dao.VersionRedisDao{Client: client}
	}
	mysqlService, errMysql := service.NewVersionMysqlService(store)
	redisService, errRedis := service.NewVersionRedisService(memory, redisDao, log)
	return mysqlService, redisService, errors.Join(errMysql, errRedis)
}

func redisAccount(r config.Redis) db.RedisAccount {
	return db.RedisAccount{
		Addr: r.Addr, Username: r.Username, Password: r.Password.Reveal(), DB: r.DB,
		TLS: r.TLS, CAFile: r.CAFile, CertFile: r.CertFile, KeyFile: r.KeyFile,
	}
}

func openStore(cfg config.Config, node config.Node, dir *datadir.Dir, log *slog.Logger) (*dao.VersionMysqlDao, error) {
	if cfg.MySQL.DSN.Reveal() == "" {
		return openEmbedded(dir, log)
	}
	gormDB, createDatabase, err := db.OpenMySQL(cfg.MySQL.DSN.Reveal(), node.ID, log)
	return &dao.VersionMysqlDao{DB: gormDB, CreateDatabase: createDatabase}, err
}

// openEmbedded puts a file that is no database any more aside, where the node has what it is made of: it is then built
// anew.
func openEmbedded(dir *datadir.Dir, log *slog.Logger) (*dao.VersionMysqlDao, error) {
	path := filepath.Join(dir.Path(), db.SQLiteFile)
	gormDB, err := db.OpenSQLite(path)
	if db.IsDamaged(err) && dir.Identity().Cluster != "" {
		log.Warn("the database file is damaged; it is set aside and built anew", "file", path, "aside", db.Aside(path), "err", err)
		if err = db.SetAside(path); err == nil {
			gormDB, err = db.OpenSQLite(path)
		}
	}
	return &dao.VersionMysqlDao{DB: gormDB}, err
}

// storeWords returns what the store is called for an operator, and what discards it.
func storeWords(cfg config.Config, node config.Node, dir *datadir.Dir) (name, discard string) {
	if dsn := cfg.MySQL.DSN.Reveal(); dsn != "" {
		return db.DatabaseAndServer(dsn, node.ID), db.DropStatement(dsn, node.ID)
	}
	name = filepath.Join(dir.Path(), db.SQLiteFile)
	return name, "delete " + name + "*"
}
