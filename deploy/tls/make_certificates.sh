#!/bin/sh
# What Postgres and the broker show to prove who they are, signed by an authority of this deployment (compose.tls.yml):
#   make_certificates.sh FOLDER AUTHORITY "NAME ADDRESS ..."
# Makes what is missing, is for other names, or ends within 30 days. Certificates of your own in FOLDER are left alone.
set -euf
umask 077
folder=$1 authority=$2 asked=$3
days=825 soon_s=2592000
broker_group=${BROKER_GROUP:-10006} # its container is in no other

fail() { echo "certificates: $*" >&2; exit 1; }

subject_names() { # of compose's network, of this machine, and those asked for, as openssl writes them
  list=DNS:postgres,DNS:broker,DNS:localhost,IP:127.0.0.1
  for name in $asked; do
    case $name in
      *[!A-Za-z0-9.:-]*) fail "PARETOFARM_TLS_NAMES holds names and addresses, separated by spaces; this is none: $name" ;;
      *:*) list=$list,IP:$name ;;
      *[!0-9.]*) list=$list,DNS:$name ;;
      *) list=$list,IP:$name ;;
    esac
  done
  echo "$list"
}

are_current() {
  [ -e "$folder/names" ] && [ "$(cat "$folder/names")" = "$names" ] &&
    openssl x509 -noout -checkend $soon_s -in "$folder/server.pem" >/dev/null
}

quietly() { "$@" 2>"$work/said" || fail "$(tail -n 1 "$work/said")"; }

make_key() { quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

make_authority() {
  make_key "$work/ca.key"
  quietly openssl req -new -x509 -key "$work/ca.key" -days 3650 -config "$work/openssl.cnf" -extensions authority \
    -subj "/CN=paretofarm authority" -out "$authority/ca.pem"
  mv "$work/ca.key" "$authority/ca.key" # last: it says that both are there
}

make_certificate() {
  rm -f "$folder/names"
  make_key "$work/server.key"
  quietly openssl req -new -key "$work/server.key" -config "$work/openssl.cnf" -subj /CN=paretofarm -out "$work/request.pem"
  quietly openssl x509 -req -in "$work/request.pem" -CA "$authority/ca.pem" -CAkey "$authority/ca.key" -days $days \
    -set_serial "0x$(openssl rand -hex 16)" -extfile "$work/openssl.cnf" -extensions server -out "$work/server.pem"
  put 600 "$work/server.key" postgres.key
  put 640 "$work/server.key" broker.key $broker_group
  put 644 "$work/server.pem" server.pem
  put 644 "$authority/ca.pem" ca.pem
  echo "$names" >"$work/names"
  put 644 "$work/names" names # last: it says that the rest is there
  echo "certificates: made for $names" >&2
}

put() { # mode, file, name, group: appears whole, with its rights
  cp "$2" "$folder/.new"
  [ -z "${4-}" ] || chgrp "$4" "$folder/.new"
  chmod "$1" "$folder/.new"
  mv "$folder/.new" "$folder/$3"
}

if [ -e "$folder/server.pem" ] && [ ! -e "$authority/ca.key" ]; then exit 0; fi
names=$(subject_names)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/openssl.cnf" <<CONFIG
[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $names
CONFIG
[ -e "$authority/ca.key" ] || make_authority
are_current || make_certificate
chmod 755 "$folder"
