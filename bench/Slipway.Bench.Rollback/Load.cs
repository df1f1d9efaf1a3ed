using System.Collections.Concurrent;
using System.Net.Http.Json;

namespace Slipway.Bench.Rollback;

/// <summary>Steady requests to gateways, and when the candidate answered last.</summary>
internal sealed class Load : IAsyncDisposable
{
    /// <summary>At each gateway.</summary>
    private const int Connections = 4;

    /// <summary>Between two requests of a connection.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    private readonly CancellationTokenSource stop = new();
    private readonly Task[] connections;
    private readonly ConcurrentDictionary<int, (DateTimeOffset Sent, DateTimeOffset Answered)> candidates = new();
    private long requests;

    public Load(IEnumerable<Uri> gateways) =>
        connections = [.. gateways.SelectMany(gateway => Enumerable.Range(0, Connections).Select(_ => gateway)).Select((gateway, i) => Task.Run(() => AskAsync(gateway, i)))];

    public long Requests => Interlocked.Read(ref requests);

    /// <summary>When the last request was sent that the candidate got, and when it was answered.</summary>
    public (DateTimeOffset Sent, DateTimeOffset Answered) LastOfCandidate => candidates.IsEmpty ? default : (candidates.Values.Max(last => last.Sent), candidates.Values.Max(last => last.Answered));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(connections);
        stop.Dispose();
    }

    private async Task AskAsync(Uri gateway, int connection)
    {
        using var client = new HttpClient { BaseAddress = gateway };
        var random = new Random(connection);
        while (!stop.IsCancellationRequested)
        {
            var sent = TimeProvider.System.GetUtcNow();
            var body = new { inputs = new[] { new { name = "x", datatype = "FP32", shape = new[] { 1, 1 }, data = new[] { random.NextDouble() } } } };
            using var answer = await client.PostAsJsonAsync("/v2/models/tiny/infer", body);
            if (answer.Headers.TryGetValues("Slipway-Arm", out var arm) && arm.Single() == "candidate")
                candidates[connection] = (sent, TimeProvider.System.GetUtcNow());
            Interlocked.Increment(ref requests);
            await Task.Delay(Pause);
        }
    }
}
