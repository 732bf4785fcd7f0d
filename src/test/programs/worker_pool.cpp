// Threads that share a queue, a map and exceptions: what real C++ programs look like to a debugger.
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

class Pool {
public:
    explicit Pool(int threads) {
        for (int i = 0; i < threads; i++) {
            workers.emplace_back([this, i] { work(i); });
        }
    }

    ~Pool() {
        {
            std::lock_guard<std::mutex> hold(lock);
            closed = true;
        }
        there.notify_all();
        for (auto &worker : workers) {
            worker.join();
        }
    }

    void submit(std::function<void(int)> job) {
        {
            std::lock_guard<std::mutex> hold(lock);
            jobs.push_back(std::move(job));
        }
        there.notify_one();
    }

private:
    void work(int self) {
        while (true) {
            std::function<void(int)> job;
            {
                std::unique_lock<std::mutex> hold(lock);
                there.wait(hold, [this] { return closed || !jobs.empty(); });
                if (jobs.empty()) {
                    return;
                }
                job = std::move(jobs.front());
                jobs.pop_front();
            }
            job(self);
        }
    }

    std::mutex lock;
    std::condition_variable there;
    std::deque<std::function<void(int)>> jobs;
    std::vector<std::thread> workers;
    bool closed = false;
};

static std::mutex results_lock;
static std::map<std::string, long> results;

static long collatz(long n) {
    long steps = 0;
    for (; n != 1; steps++) {
        n = n % 2 ? 3 * n + 1 : n / 2;
    }
    return steps;
}

int main() {
    {
        Pool pool(4);
        for (int i = 1; i <= 60; i++) {
            pool.submit([i](int self) {
                try {
                    if (i % 7 == 0) {
                        throw std::runtime_error("seven divides " + std::to_string(i));
                    }
                    auto name = std::make_unique<std::string>("job " + std::to_string(i));
                    long steps = collatz(i * 7919L);
                    std::lock_guard<std::mutex> hold(results_lock);
                    results[*name] = steps;
                } catch (const std::exception &error) {
                    std::printf("worker %d: %s\n", self, error.what());
                }
            });
        }
    }
    long sum = 0;
    for (auto &[name, steps] : results) {
        sum += steps;
    }
    std::printf("%zu jobs, %ld steps\n", results.size(), sum);
}
