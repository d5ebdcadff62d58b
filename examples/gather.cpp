// SPDX-License-Identifier: MIT
//
// gather.c in C++17: clients and results that free themselves
//
//      c++ -std=c++17 gather.cpp $(pkg-config --cflags --libs muster) -o gather && ./gather https://example.com/ ...

#include <iostream>
#include <memory>
#include <muster/muster.h>
#include <stdexcept>

struct Free {
        void operator()(muster_client *client) const
        {
                muster_client_free(client);
        }
        void operator()(muster_result *result) const
        {
                muster_result_free(result);
        }
};
using Client = std::unique_ptr<muster_client, Free>;
using Result = std::unique_ptr<muster_result, Free>;

static Client make_client(muster_client_options options)
{
        muster_client *client = nullptr;
        muster_error error{};

        options.error = &error;
        if (muster_client_new(&client, &options) < 0)
                throw std::runtime_error(error.text);
        return Client(client);
}

int main(int argc, char **argv)
try {
        muster_client_options options{};
        options.concurrency = 10;
        options.total_timeout_ms = 10000;
        options.queue_size = static_cast<size_t>(argc);
        Client client = make_client(options);

        for (int i = 1; i < argc; i++)
                if (muster_get(client.get(), argv[i], nullptr) != 0)
                        throw std::bad_alloc();
        while (Result result{ muster_next(client.get()) }) {
                std::cout << muster_result_url(result.get()) << ": ";
                if (muster_result_error(result.get()))
                        std::cout << muster_result_error_text(result.get()) << "\n";
                else
                        std::cout << muster_result_status(result.get()) << ", "
                                  << muster_result_body_size(result.get()) << " bytes\n";
        }
} catch (const std::exception &error) {
        std::cerr << error.what() << "\n";
        return 1;
}
