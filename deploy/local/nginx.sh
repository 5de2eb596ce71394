#!/usr/bin/env bash
# nginx with deploy/nginx/klatch.conf, in which ${…} is what the environment says. Without a certificate it speaks in the clear.
. "$(dirname "$0")/lib.sh"

# It ends at SIGQUIT once everything that is under way is done, and at SIGTERM at once.
fetch() { deb nginx; }

# site: the configuration of the site, with what the environment says.
site() {
  local plain=()
  [[ ${KLATCH_CERTIFICATE-} ]] || plain=(-e 's/ ssl;$/;/' -e '/^ *ssl_/d')
  sed "${plain[@]}" -e "s#\${KLATCH_LISTEN}#$KLATCH_LISTEN#" \
    -e "s#\${KLATCH_FRONT1}#$KLATCH_FRONT1#; s#\${KLATCH_FRONT2}#$KLATCH_FRONT2#" \
    -e "s#\${KLATCH_CERTIFICATE}#${KLATCH_CERTIFICATE-}#; s#\${KLATCH_CERTIFICATE_KEY}#${KLATCH_CERTIFICATE_KEY-}#" "$here/../nginx/klatch.conf"
}

start() {
  mkdir -p "$dir/1/tmp"
  site >"$dir/1/klatch.conf"
  cat >"$dir/1/config" <<END
daemon off;
pid $dir/1/nginx.pid;
error_log stderr notice;
worker_rlimit_nofile $(ulimit -n);
# Those that are connected are let go after that when it stops softly.
worker_shutdown_timeout 60s;
events { worker_connections 10000; }
http {
    access_log off;
    client_body_temp_path $dir/1/tmp/body;
    proxy_temp_path $dir/1/tmp/proxy;
    fastcgi_temp_path $dir/1/tmp/fastcgi;
    uwsgi_temp_path $dir/1/tmp/uwsgi;
    scgi_temp_path $dir/1/tmp/scgi;
    include $dir/1/klatch.conf;
}
END
  launch 1 nginx -p "$dir/1" -e stderr -c "$dir/1/config"
  ready 1 listens "${KLATCH_LISTEN%:*}" "${KLATCH_LISTEN##*:}"
}

main "$@"
