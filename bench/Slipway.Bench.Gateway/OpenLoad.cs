using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Slipway.Bench.Gateway;

/// <summary>
/// Sends requests at a constant rate whatever the answers do, and takes each one's time from the moment that it was due: a server that
/// stalls is charged for all who would have come meanwhile.
/// </summary>
internal sealed class OpenLoad : IDisposable
{
    private const int Connections = 64;

    private const string Body = """{"id":"1","inputs":[{"name":"distance","shape":[1,1],"datatype":"FP32","data":[1234.5]},{"name":"hour","shape":[1,1],"datatype":"INT64","data":[12]}]}""";

    private readonly Connection[] connections;

    private OpenLoad(Uri url) => connections = [.. Enumerable.Range(0, Connections).Select(_ => new Connection(url))];

    /// <summary>Prints requests sent, requests that failed, and the times in microseconds at the median, 99 % and the end.</summary>
    public static async Task<int> RunAsync(Uri url, int rate, int seconds)
    {
        using var load = new OpenLoad(url);
        load.Send(rate, 1);        // not counted: connections and code warm up
        await load.DrainAsync();
        foreach (var connection in load.connections)
            connection.Times.Clear();
        var sent = load.Send(rate, seconds);
        await load.DrainAsync();
        var times = load.connections.SelectMany(connection => connection.Times).Order().ToArray();
        var failed = load.connections.Sum(connection => connection.Failures) + sent - times.Length;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sent} {failed} {At(times, 0.5):0} {At(times, 0.99):0} {At(times, 1):0}"));
        return 0;
    }

    public void Dispose()
    {
        foreach (var connection in connections)
            connection.Dispose();
    }

    private static double At(long[] times, double share) =>
        times.Length == 0 ? 0 : Stopwatch.GetElapsedTime(0, times[Math.Min(times.Length - 1, (int)(share * times.Length))]).TotalMicroseconds;

    private int Send(int rate, int seconds)
    {
        var (start, sent, all) = (Stopwatch.GetTimestamp(), 0, rate * seconds);
        while (sent < all)
        {
            var due = Math.Min(all, (int)(Stopwatch.GetElapsedTime(start).TotalSeconds * rate));
            for (; sent < due; sent++)
                connections[sent % Connections].Send(start + (long)((double)sent / rate * Stopwatch.Frequency));
            Thread.Sleep(1);
        }

        return sent;
    }

    private async Task DrainAsync()
    {
        var since = Stopwatch.GetTimestamp();
        while (connections.Any(connection => connection.IsWaiting) && Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(15))
            await Task.Delay(10);
    }

    private sealed class Connection : IDisposable
    {
        private readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly ConcurrentQueue<long> due = new();
        private readonly byte[] request, answers = new byte[64 * 1024];

        public Connection(Uri url)
        {
            request = Encoding.ASCII.GetBytes($"POST /v2/models/flight-delay/infer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}");
            socket.Connect(url.Host, url.Port);
            _ = Task.Run(ReceiveAsync);
        }

        public List<long> Times { get; } = [];

        public int Failures { get; private set; }

        public bool IsWaiting => !due.IsEmpty;

        public void Send(long dueAt)
        {
            due.Enqueue(dueAt);
            socket.Send(request);
        }

        public void Dispose() => socket.Dispose();

        private async Task ReceiveAsync()
        {
            try
            {
                for (var held = 0; await socket.ReceiveAsync(answers.AsMemory(held)) is > 0 and var read;)
                {
                    held += read;
                    var used = 0;
                    while (LengthOf(answers.AsSpan(used, held - used), out var isGood) is > 0 and var length)
                    {
                        used += length;
                        due.TryDequeue(out var at);
                        Times.Add(Stopwatch.GetTimestamp() - at);
                        Failures += isGood ? 0 : 1;
                    }

                    answers.AsSpan(used, held - used).CopyTo(answers);
                    held -= used;
                }
            }
            catch (SocketException)
            {
                // What was not answered is missing among the times, and counted as failed.
            }
            catch (ObjectDisposedException)
            {
                // The end.
            }
        }

        /// <returns>Bytes of the first answer; 0 while it is not whole.</returns>
        private static int LengthOf(ReadOnlySpan<byte> text, out bool isGood)
        {
            isGood = text.StartsWith("HTTP/1.1 200 "u8);
            var head = text.IndexOf("\r\n\r\n"u8);
            if (head < 0)
                return 0;
            var field = text.IndexOf("Content-Length: "u8);
            Utf8Parser.TryParse(text[(field + 16)..], out int body, out _);
            return head + 4 + body <= text.Length ? head + 4 + body : 0;
        }
    }
}
