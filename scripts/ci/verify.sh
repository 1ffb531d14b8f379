#!/bin/sh
# Asks a conforme service for a verdict on an image, waits for it, and ends with 0 (it passes), 1 (it fails), 2 (it could not tell) or
# 3 (an error). For pipelines: it needs a POSIX shell and curl, and everything is told by the environment:
#   CONFORME_SERVER, CONFORME_IMAGE     the service and the image, required
#   CONFORME_GIT, _REF, _SUBDIR, _DOCKERFILE, _TARGET, _PLATFORM   what it was built from, where the image does not say it
#   CONFORME_FAIL_ON                    what fails: partly (the default), no, never, a result or a severity, with commas between
#   CONFORME_ALLOW_UNKNOWN              true: ends with 0 in place of 2
#   CONFORME_TOKEN, CONFORME_ID_TOKEN   an API token, else an identity token; GitHub is asked for one where the job may have it
#   CONFORME_MINUTES                    how long to wait, 60 by default
#   CONFORME_SUMMARY, CONFORME_SARIF    files for the summary in Markdown and the findings in SARIF
set -eu
export LC_ALL=C

# Text of a service is printed on one line that neither a terminal nor the runner takes for a command.
say() { printf 'conforme: %s\n' "$(printf %s "$1" | tr '\n' ' ' | tr -cd '[:print:]' | sed 's/##\[/# [/g')" >&2; }
fail() { say "$1" && exit 3; }

server=${CONFORME_SERVER:-}
server=${server%/}
case $server in http://?* | https://?*) ;; *) fail 'CONFORME_SERVER is no http or https address' ;; esac
[ -n "${CONFORME_IMAGE:-}" ] || fail 'CONFORME_IMAGE names no image'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One member of a JSON object, after a comma; nothing where the value is empty.
member() {
  [ -n "$2" ] || return 0
  case $2 in *[[:cntrl:]]*) fail "$1 holds a control character" ;; esac
  printf ',"%s":"%s"' "$1" "$(printf %s "$2" | sed 's/[\\"]/\\&/g')"
}
source=$(member git "${CONFORME_GIT:-}" && member ref "${CONFORME_REF:-}" && member subdir "${CONFORME_SUBDIR:-}")
[ -z "$source" ] || source=",\"source\":{${source#,}}"
body=$(member image "$CONFORME_IMAGE" && member platform "${CONFORME_PLATFORM:-}" &&
  member dockerfile "${CONFORME_DOCKERFILE:-}" && member target "${CONFORME_TARGET:-}")
body="{${body#,}$source}"

# Standard input of `curl --config -`, where no list of processes shows it.
bearer() {
  case $1 in '') return 0 ;; *[!!-~]* | *[\"\\]*) fail 'the token holds a character that no token has' ;; esac
  printf 'header = "Authorization: Bearer %s"\n' "$1"
}
token=${CONFORME_TOKEN:-${CONFORME_ID_TOKEN:-}}
if [ -z "$token" ] && [ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ]; then
  token=$(bearer "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" | curl --config - -fsS --retry 3 --max-time 60 --get \
    --data-urlencode "audience=${CONFORME_AUDIENCE:-$server}" "$ACTIONS_ID_TOKEN_REQUEST_URL" |
    sed -n 's/.*"value" *: *"\([^"]*\)".*/\1/p')
  [ -n "$token" ] || fail 'the runner gives no identity token'
  printf '::add-mask::%s\n' "$token"
fi
login=$(bearer "$token")

problem() { say "$server answers $code: $(head -c 2000 "$1" 2>/dev/null)"; }
header() { sed -n "s/^$1: *//p" "$work/headers" | tr -d '\r' | tail -n 1; }

# The same request gives the same verification, so that it may be sent again.
code=$(printf '%s\n' "$login" | curl --config - -sS --retry 5 --max-time 120 -H 'Content-Type: application/json' --data-binary "$body" \
  -D "$work/headers" -o "$work/answer" -w '%{http_code}' "$server/v1/verifications") || fail "$server does not answer"
case $code in 200 | 202) ;; *) problem "$work/answer" && exit 3 ;; esac
id=$(header '[Ll]ocation')
id=${id##*/}
case $id in '' | *[!A-Za-z0-9_-]*) fail "$server names no verification" ;; esac
page=$server/verifications/$id
say "$page"

end=$(($(date +%s) + ${CONFORME_MINUTES:-60} * 60))
failures=0
while :; do
  code=$(curl -sS --max-time 120 -H 'Prefer: wait=50' --get --data-urlencode "failOn=${CONFORME_FAIL_ON:-partly}" \
    -D "$work/headers" -o "$work/summary" -w '%{http_code}' "$server/v1/verifications/$id/summary") || code=000
  case $code in
    200) break ;;
    202) failures=0 ;;
    000 | 429 | 5??) failures=$((failures + 1)) ;;
    *) problem "$work/summary" && exit 3 ;;
  esac
  [ "$failures" -lt 20 ] || fail "$server does not answer any more"
  [ "$(date +%s)" -lt "$end" ] || fail "no verdict within ${CONFORME_MINUTES:-60} minutes"
  sleep 3
done

outcome=$(header '[Cc]onforme-[Oo]utcome')
verdict=$(header '[Cc]onforme-[Vv]erdict')
case $outcome in pass | fail | unknown | error) ;; *) fail "$server says nothing of the outcome" ;; esac
case $verdict in *[!a-f0-9sh:]*) fail "$server names no verdict" ;; esac
for file in "${CONFORME_SUMMARY:-}" "${GITHUB_STEP_SUMMARY:-}"; do
  [ -z "$file" ] || cat "$work/summary" >>"$file"
done
if [ -n "${CONFORME_SARIF:-}" ] && [ -n "$verdict" ]; then
  curl -fsS --retry 5 --max-time 120 -o "$CONFORME_SARIF" "$server/v1/verdicts/$verdict/sarif.json" || fail "$server has no SARIF"
fi
[ -z "${GITHUB_OUTPUT:-}" ] || printf '%s\n' "outcome=$outcome" "verdict=$verdict" "page=$page" >>"$GITHUB_OUTPUT"
say "${CONFORME_FAIL_ON:-partly}: $outcome"
case $outcome in
  pass) exit 0 ;;
  fail) exit 1 ;;
  unknown) if [ "${CONFORME_ALLOW_UNKNOWN:-}" = true ]; then exit 0; else exit 2; fi ;;
  error) exit 3 ;;
esac
