#!/bin/sh
# A MariaDB server as the official image leaves it: a password for root, and the database that MARIADB_DATABASE names.
set -eu
chown mysql:mysql /data
[ -d /data/mysql ] || mariadb-install-db --user=mysql --datadir=/data --auth-root-authentication-method=normal --skip-test-db
cat >/tmp/first.sql <<SQL
ALTER USER root@localhost IDENTIFIED BY '$(printf %s "$MARIADB_ROOT_PASSWORD" | sed "s/'/''/g")';
CREATE DATABASE IF NOT EXISTS $MARIADB_DATABASE;
SQL
mkdir -p /run/mysqld && chown mysql:mysql /run/mysqld
exec mariadbd --user=mysql --datadir=/data --init-file=/tmp/first.sql
