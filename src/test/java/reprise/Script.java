package reprise;

import java.util.List;

/**
 * A program to record, as a shell script, with what is done before and after it. All three run in an empty directory.
 *
 * @param needs the programs it uses
 * @param prepare run as it is; may be empty
 * @param command what is recorded
 * @param verify fails if the command did not do its work; may be empty; {@code @OUTPUT} is the file with what it wrote
 */
record Script(String name, List<String> needs, String prepare, String command, String verify) {
    private static final String PREPARE_PROJECT = """
            mkdir project && cd project
            for i in $(seq 35); do
                cat >part$i.c <<END
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            int part$i(int x) {
                char text[64];
                snprintf(text, sizeof text, "%d", x * $i);
                return atoi(text) + (int)strlen(text);
            }
            END
                echo "int part$i(int);" >>parts.h
                echo "    sum += part$i($i);" >>calls.h
            done
            cat >main.c <<'END'
            #include <stdio.h>
            #include "parts.h"
            int main(void) {
                int sum = 0;
            #include "calls.h"
                printf("%d\\n", sum);
                return 0;
            }
            END
            cat >Makefile <<'END'
            parts := $(patsubst %.c,%.o,$(wildcard *.c))
            program: $(parts)
            \t$(CC) -o $@ $^
            %.o: %.c
            \t$(CC) -O1 -c -o $@ $<
            END
            """;

    static List<Script> all() {
        return List.of(
                new Script("ls -lR", List.of("ls"), "", "exec ls -lR /usr/share", "test $(wc -l <@OUTPUT) -gt 1000"),
                new Script(
                        "cp -a",
                        List.of("cp"),
                        "",
                        "exec cp -a /usr/include copy",
                        "diff -r --no-dereference /usr/include copy"),
                new Script(
                        "find, xargs and grep",
                        List.of("find", "xargs", "grep"),
                        "",
                        "find /usr/include -name '*.h' -print0 | xargs -0 -n 100 grep -l define | sort | tee names | wc -l",
                        "test $(cat @OUTPUT) -gt 100; sort -c names"),
                new Script(
                        "tar and gzip",
                        List.of("tar", "gzip"),
                        "cp -a /usr/include/linux original",
                        """
                        tar cf - original | gzip >archive.tar.gz
                        mkdir copy
                        tar xzf archive.tar.gz -C copy
                        tar tvzf archive.tar.gz
                        """,
                        "diff -r original copy/original"),
                new Script(
                        "sort with temporary files",
                        List.of("sort", "shuf"),
                        "seq 300000 >expected; shuf expected >lines",
                        "exec sort -n -S 1M -T . -o sorted lines",
                        "cmp expected sorted"),
                new Script(
                        "gcc",
                        List.of("gcc"),
                        """
                        cat >hello.c <<'END'
                        #include <math.h>
                        #include <stdio.h>
                        int main(void) { printf("%.3f\\n", sqrt(2)); return 0; }
                        END
                        """,
                        "gcc -O2 -g -Wall -o hello hello.c -lm && ./hello",
                        "grep -q '^1.414$' @OUTPUT"),
                new Script(
                        "make -j4 of 36 files",
                        List.of("make", "gcc"),
                        PREPARE_PROJECT,
                        "make -C project -j4",
                        "./project/program | grep -q '^[0-9]*$'"),
                new Script(
                        "git",
                        List.of("git"),
                        "",
                        """
                        set -e
                        export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com
                        export GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@example.com
                        git init -q origin
                        cd origin
                        for i in 1 2 3; do
                            seq $i 1000 >numbers
                            git add numbers
                            git commit -q -m "commit $i"
                        done
                        cd ..
                        git clone -q file://$PWD/origin copy
                        git clone -q origin linked
                        git -C copy log --stat
                        git -C copy fsck
                        """,
                        "cmp origin/numbers copy/numbers; test $(git -C copy log --oneline | wc -l) = 3"),
                new Script("python", List.of("python3"), "", """
                        exec python3 - <<'END'
                        import json, os, random, socket, subprocess, tempfile, threading, time

                        def serve(listener):
                            connection, _ = listener.accept()
                            with connection:
                                while data := connection.recv(4096):
                                    connection.sendall(data.upper())

                        listener = socket.create_server(("127.0.0.1", 0))
                        server = threading.Thread(target=serve, args=(listener,))
                        server.start()
                        with socket.create_connection(listener.getsockname()) as client:
                            client.sendall(b"hello")
                            print(client.recv(4096))
                        server.join()

                        total, lock = 0, threading.Lock()
                        def count():
                            global total
                            for _ in range(2000):
                                with lock:
                                    total += 1
                        threads = [threading.Thread(target=count) for _ in range(4)]
                        [t.start() for t in threads]
                        [t.join() for t in threads]
                        print(total)

                        for _ in range(3):
                            print(subprocess.run(["date", "+%N"], capture_output=True, text=True).stdout, end="")
                        print(subprocess.check_output("echo $$ | cat", shell=True))
                        with tempfile.NamedTemporaryFile("w+") as file:
                            json.dump({str(i): random.random() for i in range(1000)}, file)
                            file.seek(0)
                            print(sum(json.load(file).values()))
                        print({object() for _ in range(3)}, hash("text"), time.time(), os.getpid())
                        END
                        """, "grep -q HELLO @OUTPUT; grep -q '^8000$' @OUTPUT"),
                new Script("perl", List.of("perl"), "", """
                        exec perl - <<'END'
                        use strict; use warnings; use Time::HiRes qw(time sleep); use POSIX ();
                        my %count;
                        $count{$_ % 97}++ for 1 .. 20000;
                        print join(",", (keys %count)[0 .. 9]), "\\n";
                        my @children;
                        for my $i (1 .. 3) {
                            my $child = fork() // die;
                            if (!$child) { sleep(rand(0.02)); print "child $i is $$\\n"; POSIX::_exit($i); }
                            push @children, $child;
                        }
                        for (@children) { waitpid($_, 0); print "status ", $? >> 8, "\\n"; }
                        open(my $pipe, "-|", "ls", "/") or die;
                        print "entry $_" while <$pipe>;
                        close $pipe;
                        local $SIG{ALRM} = sub { print "alarm\\n" };
                        Time::HiRes::alarm(0.01); sleep(1);
                        print rand(), " ", time(), " ", \\%count, "\\n";
                        END
                        """, "grep -q alarm @OUTPUT; grep -q 'status 3' @OUTPUT"),
                new Script(
                        "sqlite3 with 10000 inserts",
                        List.of("sqlite3"),
                        """
                        {
                            echo 'create table t(id integer primary key, name text, value real);'
                            echo 'create index byname on t(name);'
                            for i in $(seq 10000); do
                                test $((i % 500)) = 1 && echo 'begin;'
                                echo "insert into t(name, value) values('name $i', $i * 1.5);"
                                test $((i % 500)) = 0 && echo 'commit;'
                            done
                            echo "select count(*), sum(value) from t; select random();"
                            echo "select * from t order by name desc limit 3; pragma integrity_check;"
                        } >statements
                        """,
                        "exec sqlite3 database <statements",
                        "grep -q '^10000|75007500.0$' @OUTPUT; grep -q '^ok$' @OUTPUT"),
                new Script(
                        "node",
                        List.of("node"),
                        """
                        cat >script.js <<'END'
                        const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
                        if (isMainThread) {
                            const workers = [1, 2, 3].map(number => new Promise(done => {
                                const worker = new Worker(__filename, { workerData: number });
                                worker.on('message', text => console.log('message', text));
                                worker.on('exit', done);
                            }));
                            let ticks = 0;
                            const timer = setInterval(() => {
                                if (++ticks === 5) { clearInterval(timer); console.log('ticked', Date.now()); }
                            }, 10);
                            setImmediate(() => console.log('immediate', Math.random()));
                            require('fs').readdir('/', (_, names) => console.log(names.length));
                            require('crypto').randomBytes(8, (_, bytes) => console.log(bytes.toString('hex')));
                            Promise.all(workers).then(() => console.log('workers done'));
                        } else {
                            let sum = 0;
                            for (let i = 0; i < 1e5; i++) sum += i % workerData;
                            setTimeout(() => parentPort.postMessage(`${workerData} ${sum} ${process.hrtime()}`), 5);
                        }
                        END
                        """,
                        "exec node script.js",
                        "grep -q 'workers done' @OUTPUT; grep -q ticked @OUTPUT"),
                new Script("a static program", List.of("gcc"), """
                        cat >static.c <<'END'
                        #include <stdio.h>
                        #include <stdlib.h>
                        #include <time.h>
                        int main(void) {
                            void *block = malloc(100000);
                            printf("%p %ld\\n", block, (long)time(NULL));
                            return 5;
                        }
                        END
                        gcc -static -o static static.c
                        """, "./static; test $? = 5", "grep -q ^0x @OUTPUT"));
    }

    @Override
    public String toString() {
        return name;
    }
}
