#!/bin/sh
# Runs inside of the container, each time that it starts: the seeds, as the application's user, in their order.
set -eu
for file in /seed/*.sql; do
    sqlplus -S -L "$APP_USER/\"$APP_USER_PASSWORD\"@//localhost/FREEPDB1" <<SQL
WHENEVER SQLERROR EXIT FAILURE
SET DEFINE OFF
@$file
EXIT
SQL
done
