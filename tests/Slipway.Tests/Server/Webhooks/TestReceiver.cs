using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Slipway.Tests.Server.Webhooks;

/// <summary>What a receiver got.</summary>
internal sealed record Received(string Path, string Id, long Timestamp, string Signature, string ContentType, string Body);

/// <summary>A webhook's receiver on this machine that answers as a test says.</summary>
internal sealed class TestReceiver : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private HttpListener? listener;
    private Task serving = Task.CompletedTask;

    public TestReceiver()
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Url = new Uri($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/hook");
        }

        Start();
    }

    public Uri Url { get; }

    /// <summary>All that came, in order, whatever was answered.</summary>
    public ConcurrentQueue<Received> All { get; } = new();

    /// <summary>What was taken: answered with 2xx.</summary>
    public ConcurrentQueue<Received> Taken { get; } = new();

    /// <summary>Status and text of the next answers; by the path that was asked for.</summary>
    public Func<string, (int Status, string Text)> Answer { get; set; } = static _ => (204, "");

    /// <summary>Headers of the next answers.</summary>
    public Dictionary<string, string> Headers { get; } = [];

    /// <summary>Answers wait for it.</summary>
    public Func<string, Task> Before { get; set; } = static _ => Task.CompletedTask;

    public void Start()
    {
        listener = new HttpListener();
        listener.Prefixes.Add($"http://127.0.0.1:{Url.Port}/");
        listener.Start();
        serving = Task.Run(() => ServeAsync(listener));
    }

    /// <summary>Nobody listens at the address any more.</summary>
    public async Task StopAsync()
    {
        listener?.Close();
        await serving;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await StopAsync();
        stopping.Dispose();
    }

    private async Task ServeAsync(HttpListener on)
    {
        while (true)
        {
            HttpListenerContext call;
            try
            {
                call = await on.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            _ = Task.Run(() => AnswerAsync(call));
        }
    }

    private async Task AnswerAsync(HttpListenerContext call)
    {
        try
        {
            using var reader = new StreamReader(call.Request.InputStream, Encoding.UTF8);
            var headers = call.Request.Headers;
            var received = new Received(
                call.Request.Url!.AbsolutePath, headers["webhook-id"]!, long.Parse(headers["webhook-timestamp"]!, System.Globalization.CultureInfo.InvariantCulture), headers["webhook-signature"]!, call.Request.ContentType!, await reader.ReadToEndAsync());
            All.Enqueue(received);
            await Before(received.Path).WaitAsync(stopping.Token);
            var (status, text) = Answer(received.Path);
            if (status is >= 200 and < 300)
                Taken.Enqueue(received);
            call.Response.StatusCode = status;
            foreach (var (name, value) in Headers)
                call.Response.Headers[name] = value;
            await call.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text));
            call.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // The other side went away, or the test is over.
        }
    }
}
