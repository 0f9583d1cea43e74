#!/usr/bin/env bash
# Every way to send a line from a shell: examples/send.sh sends one visit by each that this machine can.
#   HOST PORT                      where the agent hears datagrams and streams
#   UNIX_DATAGRAM UNIX_STREAM      paths of its unix sockets, if it has them
#   LINE                           what to send
set -euo pipefail

HOST=${HOST:-127.0.0.1}
PORT=${PORT:-8125}
UNIX_DATAGRAM=${UNIX_DATAGRAM:-}
UNIX_STREAM=${UNIX_STREAM:-}
LINE=${LINE:-visit:page1|c}

have() { command -v "$1" > /dev/null; }

# Runs the function of that name and says so.
sent() {
  "$1"
  echo "sent by $1"
}

# bash itself needs no tool. One echo is one datagram.
bash_udp() { echo "$LINE" > "/dev/udp/$HOST/$PORT"; }
bash_tcp() { echo "$LINE" > "/dev/tcp/$HOST/$PORT"; }

# -q0: leave when standard input has ended (-w0 may leave before it has begun). -N: close when standard input ends.
nc_udp() { echo "$LINE" | nc -u -q0 "$HOST" "$PORT"; }
nc_tcp() { echo "$LINE" | nc -N "$HOST" "$PORT"; }
nc_unix_datagram() { echo "$LINE" | nc -uU -q0 "$UNIX_DATAGRAM"; }
nc_unix_stream() { echo "$LINE" | nc -NU "$UNIX_STREAM"; }

socat_udp() { echo "$LINE" | socat - "UDP-SENDTO:$HOST:$PORT"; }
socat_tcp() { echo "$LINE" | socat - "TCP:$HOST:$PORT"; }
socat_unix_datagram() { echo "$LINE" | socat - "UNIX-SENDTO:$UNIX_DATAGRAM"; }
socat_unix_stream() { echo "$LINE" | socat - "UNIX-CONNECT:$UNIX_STREAM"; }

# A host with colons is IPv6; bash and nc take it as it is, socat wants brackets.
case $HOST in
  *:*)
    socat_udp() { echo "$LINE" | socat - "UDP6-SENDTO:[$HOST]:$PORT"; }
    socat_tcp() { echo "$LINE" | socat - "TCP6:[$HOST]:$PORT"; }
    ;;
esac

sent bash_udp
sent bash_tcp
for tool in nc socat; do
  have "$tool" || continue
  sent "${tool}_udp"
  sent "${tool}_tcp"
  [[ -z $UNIX_DATAGRAM ]] || sent "${tool}_unix_datagram"
  [[ -z $UNIX_STREAM ]] || sent "${tool}_unix_stream"
done
