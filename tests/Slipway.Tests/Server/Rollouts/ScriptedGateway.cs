using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using Slipway.Documents.Rollouts;

namespace Slipway.Tests.Server.Rollouts;

/// <summary>A gateway as the server sees one: it speaks the real documents over the real HTTP, and makes up the requests.</summary>
internal sealed class ScriptedGateway : IAsyncDisposable
{
    private readonly Func<HttpClient> client;
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim telling = new(1, 1);
    private readonly Task following;
    private DesiredState state = new(Sample.Channel, 0, 0, DesiredState.DefaultLease, []);
    private long sequence, order;
    private EventBatch? unsent;

    /// <param name="client">The server's client now; a server that was started again has another one.</param>
    public ScriptedGateway(Func<HttpClient> client, string name = "g1", string boot = "b1")
    {
        (this.client, Name, Boot) = (client, name, boot);
        following = Task.Run(FollowAsync);
    }

    public string Name { get; }

    public string Boot { get; }

    /// <summary>What it says of a version; ready when nothing is said.</summary>
    public ConcurrentDictionary<int, VersionState> Versions { get; } = new();

    /// <summary>What it has in force, newest last.</summary>
    public ConcurrentQueue<DesiredState> InForce { get; } = new();

    public DesiredState State => Volatile.Read(ref state);

    public ModelRoute? Route => State.Models.SingleOrDefault(model => model.Model == Sample.Model);

    /// <summary>Serves requests under the weight in force, and tells them.</summary>
    /// <param name="bad">Share of bad answers of an arm, 0 to 1.</param>
    public async Task ServeAsync(int requests, Func<Arm, double>? bad = null, BadKind kind = BadKind.Error, CancellationToken cancellation = default)
    {
        if (Interlocked.Exchange(ref unsent, null) is { } first)
            await SendAsync(first, cancellation);
        if (Route?.Rollout is { } rollout && !cancellation.IsCancellationRequested)
            await SendAsync(Batch(rollout, requests, bad ?? (_ => 0), kind), cancellation);
    }

    /// <summary>Sends a batch as often as it takes.</summary>
    /// <returns>Null when that was cancelled.</returns>
    public async Task<EventReceipt?> SendAsync(EventBatch batch, CancellationToken cancellation = default)
    {
        while (!cancellation.IsCancellationRequested)
        {
            using var response = await TryPostAsync(batch);
            if (response is null)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken);
                continue;
            }

            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                Assert.True(response.Headers.RetryAfter is not null || !text.Contains("events-wait"));
                await Task.Delay(50, TestContext.Current.CancellationToken);
                continue;
            }

            Assert.True(response.IsSuccessStatusCode, text);
            return System.Text.Json.JsonSerializer.Deserialize(text, RolloutJson.Default.EventReceipt)!;
        }

        // It is sent again, before any other.
        unsent = batch;
        return null;
    }

    /// <returns>Null when the server is not there.</returns>
    private async Task<HttpResponseMessage?> TryPostAsync(EventBatch batch)
    {
        try
        {
            return await client().PostAsync("/api/v1/gateway/events", TestServer.Json(batch, RolloutJson.Default.EventBatch), TestContext.Current.CancellationToken);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    public EventBatch Batch(RolloutRoute rollout, int requests, Func<Arm, double> bad, BadKind kind = BadKind.Error)
    {
        var events = ImmutableArray.CreateBuilder<BadEvent>();
        var counts = ImmutableArray.CreateBuilder<ArmCounts>();
        var candidates = (int)((long)requests * rollout.Weight / Weight.All);
        foreach (var (arm, number) in new[] { (Arm.Stable, requests - candidates), (Arm.Candidate, candidates) })
        {
            var failed = (int)Math.Round(number * bad(arm));
            for (var i = 0; i < failed; i++)
                events.Add(new(Interlocked.Increment(ref order), $"{Interlocked.Increment(ref users):x16}", arm, kind, rollout.WeightRevision));
            if (number > 0)
                counts.Add(new(rollout.WeightRevision, arm, number, [number, .. new long[LatencyBuckets.Count - 1]]));
        }

        var shadow = rollout.Shadow ? new ShadowCounts(requests, 0, 0, 0, 0) : null;
        return new(Name, Boot, Sample.Channel, Interlocked.Increment(ref sequence), [new(rollout.Id, Interlocked.Increment(ref order), 0, counts.ToImmutable(), events.ToImmutable(), shadow)]);
    }

    private static long users;

    /// <summary>Says once more what it has.</summary>
    public async Task ReportAsync()
    {
        await telling.WaitAsync(stopping.Token);
        try
        {
            var versions = State.Models.SelectMany(model => new[] { model.Stable, model.Rollout?.Candidate }.OfType<VersionRef>().Concat(model.Warm).Distinct().Select(version =>
            {
                var says = Versions.GetValueOrDefault(version.Number, VersionState.Ready);
                return new VersionReport(
                    model.Model, version.Bundle, says, says is VersionState.Refused or VersionState.Quarantined ? "so it was scripted" : null,
                    says == VersionState.Ready && model.Rollout is { } rollout && rollout.Candidate == version ? rollout.WeightRevision : null);
            }));
            var report = new GatewayReport(Name, Boot, Sample.Channel, State.Epoch, State.Revision, [.. versions]);
            using var response = await client().PostAsync("/api/v1/gateway/report", TestServer.Json(report, RolloutJson.Default.GatewayReport), stopping.Token);
        }
        finally
        {
            telling.Release();
        }
    }

    /// <summary>Stops without a word, as a killed process does.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await following;
    }

    private async Task FollowAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await ReportAsync();
                using var response = await client().GetAsync($"/api/v1/gateway/desired?channel={Sample.Channel}&after={State.Epoch}.{State.Revision}", stopping.Token);
                if (!response.IsSuccessStatusCode)
                    throw new HttpRequestException();
                var heard = System.Text.Json.JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(stopping.Token), RolloutJson.Default.DesiredState)!;
                if (heard.Epoch < State.Epoch)
                    continue;
                Volatile.Write(ref state, heard);
                InForce.Enqueue(heard);
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
            {
                await Task.Delay(50);
            }
        }
    }
}
