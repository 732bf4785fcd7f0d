import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A program that does the same work each time.
 *
 * @param name in the tables
 * @param shows what its cost is the cost of
 * @param command with absolute paths where they matter
 * @param scratch a directory that is emptied before each run; null for none
 */
record Workload(String name, String shows, List<String> command, Path scratch) {
    private static final int FILES = 1500;
    private static final int SOURCES = 8;

    /** All that this machine has the programs for. */
    static List<Workload> all(Path directory, boolean quick) throws IOException, InterruptedException {
        List<Workload> all = new ArrayList<>();
        int scale = quick ? 1 : 5;
        Path bin = Files.createDirectories(directory.resolve("bin"));
        add(all, "true", "start", null, "/bin/true");
        add(all, "ls", "start of an ordinary program", null, "/bin/ls", "-l", "/usr/bin");
        Path tree = tree(directory);
        Path copy = directory.resolve("copy");
        add(all, "cp", "files", copy, "/bin/cp", "-a", tree.toString(), copy.resolve("to").toString());
        String loop = "i=0; while [ $i -lt " + 20 * scale + " ]; do /bin/true; i=$((i+1)); done";
        add(all, "sh", "processes", null, "/bin/sh", "-c", loop);
        if (compile(bin)) {
            String calls = bin.resolve("calls").toString();
            String handover = bin.resolve("handover").toString();
            String compute = bin.resolve("compute").toString();
            add(all, "getpid", "a system call", null, calls, "getpid", "" + 40_000 * scale);
            add(all, "read", "a system call with data", null, calls, "read", "" + 40_000 * scale);
            add(all, "clock", "time", null, calls, "clock", "" + 40_000 * scale);
            add(all, "wait", "futex, context switches", null, handover, "wait", "" + 8_000 * scale);
            add(all, "spin", "spinning threads", null, handover, "spin", "" + 80 * scale);
            add(all, "flat", "a short loop", null, compute, "flat", "" + 200 * scale);
            add(all, "branchy", "an interpreter's loop", null, compute, "branchy", "" + 20 * scale);
            Path make = makefile(directory);
            if (has("make")) {
                Path objects = directory.resolve("objects");
                add(all, "make", "a build", objects, "/usr/bin/make", "-s", "-C", make.toString(), "OUT=" + objects);
            }
        }
        if (has("python3")) {
            String script = "d = {}\nfor i in range(" + 1_000_000 * scale + "):\n d[i % 999] = d.get(i * 7 % 999, 0) + i\nprint(sum(d.values()))";
            add(all, "python", "an interpreter", null, "/usr/bin/python3", "-c", script);
        }
        if (has("sqlite3")) {
            Path sql = directory.resolve("statements.sql");
            Files.writeString(sql, statements(6000 * scale));
            Path data = directory.resolve("data");
            add(all, "sqlite", "small calls on files", data, "/usr/bin/sqlite3", "-batch", data.resolve("db").toString(),
                    ".read " + sql);
        }
        if (has("node")) {
            add(all, "node", "a compiler that runs beside the program", null, "/usr/bin/node", "src/benchmark/js/kernels.js",
                    "" + 30 * scale);
        }
        if (has("redis-server") && has("redis-benchmark") && has("redis-cli")) {
            String client = "redis-cli -p 7391";
            String service = "redis-server --port 7391 --save '' --appendonly no >/dev/null & "
                    + "until " + client + " ping >/dev/null 2>&1; do sleep 0.02; done; "
                    + "redis-benchmark -p 7391 -t set,get -n " + 5_000 * scale + " >/dev/null; "
                    + client + " shutdown nosave; wait; echo served";
            add(all, "redis", "a network service and its clients", null, "/bin/sh", "-c", service);
        }
        if (has("chromium")) {
            Path page = directory.resolve("page.html");
            Files.writeString(page, page(600 * scale));
            Path profile = directory.resolve("profile");
            add(all, "page", "a browser and a page with forms", profile, "/usr/bin/chromium", "--headless", "--no-sandbox",
                    "--disable-gpu", "--user-data-dir=" + profile, "--dump-dom", page.toUri().toString());
        }
        return all;
    }

    private static void add(List<Workload> all, String name, String shows, Path scratch, String... command) {
        all.add(new Workload(name, shows, List.of(command), scratch));
    }

    private static boolean has(String program) {
        return Files.isExecutable(Path.of("/usr/bin", program));
    }

    private static boolean compile(Path bin) throws IOException, InterruptedException {
        if (!has("gcc")) {
            System.err.println("benchmark: without gcc, some workloads are left out");
            return false;
        }
        for (String program : List.of("compute", "handover", "calls")) {
            Process gcc = new ProcessBuilder("gcc", "-O2", "-pthread", "-o", bin.resolve(program).toString(),
                            "src/benchmark/c/" + program + ".c")
                    .inheritIO()
                    .start();
            if (gcc.waitFor() != 0) {
                throw new IOException("gcc cannot compile " + program + ".c");
            }
        }
        return true;
    }

    /** Many small files and a few larger ones. */
    private static Path tree(Path directory) throws IOException {
        Path tree = directory.resolve("tree");
        for (int i = 0; i < FILES; i++) {
            Path file = Files.createDirectories(tree.resolve("d" + i % 40)).resolve("f" + i);
            if (!Files.exists(file)) {
                Files.write(file, new byte[i % 100 == 0 ? 1 << 20 : 100 + i * 7 % 20000]);
            }
        }
        return tree;
    }

    private static Path makefile(Path directory) throws IOException {
        Path sources = Files.createDirectories(directory.resolve("sources"));
        StringBuilder objects = new StringBuilder();
        for (int i = 0; i < SOURCES; i++) {
            objects.append(" $(OUT)/s").append(i).append(".o");
            Files.writeString(
                    sources.resolve("s" + i + ".c"),
                    "#include <stdio.h>\n#include <stdlib.h>\nint f" + i + "(int x) { return printf(\"%d\\n\", abs(x)); }\n");
        }
        String rule = "$(OUT)/%.o: %.c\n\t@mkdir -p $(OUT)\n\tgcc -O1 -c -o $@ $<\n";
        Files.writeString(sources.resolve("Makefile"), "all:" + objects + "\n" + rule);
        return sources;
    }

    private static String page(int rows) {
        return """
                <!DOCTYPE html><title>forms</title><form id=f></form><p id=sum></p><script>
                let sum = 0;
                for (let i = 0; i < %d; i++) {
                  const input = document.createElement('input');
                  input.name = 'n' + i;
                  input.value = String(i * 7919 %% 1000);
                  f.appendChild(input);
                  if (input.offsetWidth > 0 && input.checkValidity()) sum += Number(input.value);
                }
                f.remove();
                document.getElementById('sum').textContent = sum;
                </script>
                """.formatted(rows);
    }

    private static String statements(int count) {
        StringBuilder sql = new StringBuilder("CREATE TABLE t(id INTEGER PRIMARY KEY, k INT, name TEXT);\nBEGIN;\n");
        for (int i = 1; i <= count; i++) {
            sql.append("INSERT INTO t VALUES(").append(i).append(',').append(i * 7919 % 1000).append(",'name");
            sql.append(i).append("');\nUPDATE t SET k=k+1 WHERE id=").append(1 + i * 31 % i).append(";\n");
            sql.append(i % 100 == 0 ? "COMMIT;\nBEGIN;\n" : "");
        }
        return sql.append("COMMIT;\nSELECT count(*), sum(k) FROM t;\n").toString();
    }
}
