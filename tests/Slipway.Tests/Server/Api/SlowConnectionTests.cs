using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Slipway.Primitives.Processes;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Server.Api;

/// <summary>Thousands of connections that say nothing, or very slowly: the others are served, and the slow ones are cut off.</summary>
public sealed class SlowConnectionTests
{
    private const int Connections = 5000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Thousands_of_slow_connections_keep_nobody_from_being_served_and_are_cut_off()
    {
        using var folder = new TestFolder();
        await using var server = await TestServer.StartAsync();
        // A process of its own: it has its own descriptors.
        await using var slow = ChildProcess.Start(ChildProgram.Command("hold-connections", [server.Url.Port.ToString(CultureInfo.InvariantCulture), folder["open"], folder["cut"]], folder["log"]));
        var (served, beside) = (0, 0);
        for (var clock = Stopwatch.StartNew(); !File.Exists(folder["cut"]); served++)
        {
            Assert.True(clock.Elapsed < Patience && !slow.Exited.IsCompleted || File.Exists(folder["cut"]), $"{served} were served, {(File.Exists(folder["open"]) ? "all are open, and" : "")} {File.ReadAllText(folder["log"])}");
            // A connection of its own, which stands behind all of theirs.
            using var fresh = new HttpClient { BaseAddress = server.Url };
            fresh.DefaultRequestHeaders.Authorization = new("Bearer", server.AdminToken);
            beside += File.Exists(folder["open"]) ? 1 : 0;
            using var response = await fresh.GetAsync("/api/v1/whoami", Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.True(beside > 0, "nobody came while they were open");
    }

    [Fact]
    public async Task A_connection_without_a_word_is_closed_and_one_that_has_asked_is_kept()
    {
        await using var server = await TestServer.StartAsync();
        using var silent = new TcpClient();
        using var kept = new TcpClient();
        await silent.ConnectAsync(IPAddress.Loopback, server.Url.Port, Cancellation);
        await kept.ConnectAsync(IPAddress.Loopback, server.Url.Port, Cancellation);
        Assert.StartsWith("HTTP/1.1 204", await AskAsync(kept));
        Assert.Equal(0, await ReadAsync(silent).WaitAsync(Patience, Cancellation));
        Assert.StartsWith("HTTP/1.1 204", await AskAsync(kept));

        // It ends in order or by a reset; that nothing ends it is a failure.
        static async Task<int> ReadAsync(TcpClient client)
        {
            try
            {
                return await client.GetStream().ReadAsync(new byte[1], Cancellation);
            }
            catch (IOException)
            {
                return 0;
            }
        }

        static async Task<string> AskAsync(TcpClient client)
        {
            await client.GetStream().WriteAsync("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), Cancellation);
            var answer = new byte[4096];
            return Encoding.ASCII.GetString(answer, 0, await client.GetStream().ReadAsync(answer, Cancellation));
        }
    }

    /// <summary>The server waits for the body at a rate that a telephone would have.</summary>
    [Fact]
    public async Task A_body_that_does_not_come_is_not_waited_for()
    {
        await using var server = await TestServer.StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.Url.Port, Cancellation);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /api/v1/principals HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.AdminToken}\r\nContent-Length: 1000\r\n\r\n{{"), Cancellation);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        Assert.StartsWith("HTTP/1.1 408", await reader.ReadLineAsync(Cancellation).AsTask().WaitAsync(Patience, Cancellation));
    }

    /// <summary>Opens connections that begin a request and do not end it; writes a file when all are open, and another when the server has cut off all.</summary>
    public static int HoldProgram(string[] arguments)
    {
        var sockets = new Socket[Connections];
        for (var n = 0; n < Connections; n++)
        {
            sockets[n] = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            sockets[n].Connect(IPAddress.Loopback, int.Parse(arguments[0], CultureInfo.InvariantCulture));
            sockets[n].Send("GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\nX-Slow: "u8);
        }

        File.WriteAllText(arguments[1], "");
        foreach (var socket in sockets)
        {
            using (socket)
            {
                try
                {
                    // The answer is 408 with a closed connection, or a reset.
                    while (socket.Receive(new byte[1024]) > 0)
                    {
                    }
                }
                catch (SocketException)
                {
                }
            }
        }

        File.WriteAllText(arguments[2], "");
        return 0;
    }
}
