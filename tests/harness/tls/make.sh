#!/bin/sh
# Makes the keys and certificates that the TLS tests use; they protect nothing. Run in this folder.
set -e
key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
mkdir db && : > db/index && echo 01 > db/serial
cat > db/ca.cnf <<'C'
[ca]
default_ca = it
[it]
database = db/index
serial = db/serial
new_certs_dir = db
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
C
sign() { # name, extensions, alternative names, last day, signer...
  name=$1 extensions=$2 names=$3 until=$4
  shift 4
  openssl req $key -keyout "db/$name.key" -out "db/$name.csr" -subj "/CN=pollctl test $name" \
    -addext "subjectAltName=$names" 2>/dev/null
  openssl ca -batch -notext -config db/ca.cnf -extensions "$extensions" -in "db/$name.csr" -out "db/$name.crt" \
    -startdate 20200101000000Z -enddate "$until" "$@" 2>/dev/null
  cat "db/$name.key" "db/$name.crt" > "$name.pem"
}
here="IP:127.0.0.1,DNS:localhost"
sign ca authority "$here" 21200101000000Z -selfsign -keyfile db/ca.key
sign self_signed authority "$here" 21200101000000Z -selfsign -keyfile db/self_signed.key
by_ca="-cert db/ca.crt -keyfile db/ca.key"
sign good server "$here" 21200101000000Z $by_ca
sign wrong_name server "DNS:other.example.net" 21200101000000Z $by_ca
sign expired server "$here" 20210101000000Z $by_ca
cp db/ca.crt ca.pem
openssl pkcs8 -topk8 -in db/good.key -passout pass:locked -out locked_key.pem
rm -r db
