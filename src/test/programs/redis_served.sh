# A server, and clients that make requests of it, all in one recording. Its argument is a directory for the socket.
redis-server --port 0 --unixsocket "$1/redis.sock" --dir "$1" --save '' --appendonly no --loglevel warning &
while ! redis-cli -s "$1/redis.sock" ping 2>/dev/null | grep -q PONG; do sleep 0.05; done
redis-benchmark -s "$1/redis.sock" -q -n 200 -c 4 -t set,get,incr,lpush
redis-cli -s "$1/redis.sock" shutdown nosave
wait
