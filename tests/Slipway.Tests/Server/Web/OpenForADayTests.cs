using System.Text;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Access;
using Slipway.Server;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;
using Slipway.Server.Web;
using Slipway.Server.Web.Live;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Web;

/// <summary>What the server keeps for a page that stays open for a day, by a clock that the test steps.</summary>
public sealed class OpenForADayTests : IAsyncLifetime
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(20), Patience = TimeSpan.FromSeconds(60);

    private readonly SteppedTimers clock = new();
    private TestDatabase store = null!;
    private LedgerWriter ledger = null!;
    private PrincipalDirectory directory = null!;
    private Sessions sessions = null!;
    private Caller caller = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        // The ledger's and the database's own waits are not what is looked at: they have the system's clock.
        store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        ledger = await LedgerWriter.OpenAsync(store.Database, Path.Combine(store.Folder, "ledger.key"), TimeProvider.System, Stop);
        directory = new PrincipalDirectory(store.Database, ledger, new ServerOptions { Folder = store.Folder, Time = clock });
        sessions = new Sessions(store.Database, directory, clock);
        var (now, secret) = (clock.GetUtcNow().ToUnixTimeMilliseconds(), TokenSecret.Create());
        var principal = new Principal("user:vera", "Vera", PrincipalKind.Person, [], [new RoleGrant(Role.Viewer, RoleGrant.AllModels)], Disabled: false, CreatedAt: now);
        await store.Database.ChangeAsync(
            async session =>
            {
                await PrincipalTable.SaveAsync(session, principal);
                await TokenTable.AddAsync(session, new ApiToken("t1", principal.Id, "a test's", [], now, principal.Id, [], null, now + 30L * 86_400_000, null, null), secret.Hash);
            },
            Stop);
        caller = await directory.IdentifyAsync(secret.Text, Stop);
    }

    public async ValueTask DisposeAsync()
    {
        directory.Dispose();
        ledger.Dispose();
        await store.DisposeAsync();
    }

    [Fact]
    public async Task It_keeps_one_timer_and_ends_with_the_session()
    {
        using var streams = new EventStreams(store.Database, sessions, clock);
        var secret = await sessions.BeginAsync(caller, Stop);
        var heard = new Heard();
        var stream = streams.AnswerAsync(Call(heard, secret));
        var began = clock.GetUtcNow();
        for (var beats = 1; await WaitsAsync(stream); beats++)
        {
            // Now and then something happens, which ends a wait before its time.
            if (beats % 50 == 0)
            {
                var before = heard.Changes;
                await store.Database.ChangeAsync(session => session.ExecuteAsync("UPDATE sessions SET hash = hash"), Stop);
                await Eventually.True(() => heard.Changes > before || stream.IsCompleted, Patience);
            }

            // A person looks every hour, so only the day's end ends it.
            if (beats % 180 == 0 && clock.GetUtcNow() - began < Sessions.Longest - Beat)
                await sessions.ResumeAsync(secret, isUse: true, Stop);
            clock.Step(Beat);
        }

        await stream;
        Assert.EndsWith("event: over\ndata: session\n\n", heard.Last, StringComparison.Ordinal);
        Assert.InRange(clock.GetUtcNow() - began, Sessions.Longest, Sessions.Longest + 2 * Beat);
        Assert.True(heard.Beats > 3_000, $"{heard.Beats} beats");
        Assert.Equal(0, clock.Count);
    }

    [Fact]
    public async Task A_page_that_nobody_looks_at_keeps_no_session_alive()
    {
        using var streams = new EventStreams(store.Database, sessions, clock);
        var heard = new Heard();
        var (stream, began) = (streams.AnswerAsync(Call(heard, await sessions.BeginAsync(caller, Stop))), clock.GetUtcNow());
        while (await WaitsAsync(stream))
            clock.Step(TimeSpan.FromMinutes(10));

        Assert.EndsWith("event: over\ndata: session\n\n", heard.Last, StringComparison.Ordinal);
        Assert.InRange(clock.GetUtcNow() - began, Sessions.Idle, Sessions.Idle + TimeSpan.FromMinutes(20));
    }

    /// <summary>Waits until the stream waits, by one timer and never more.</summary>
    /// <returns>False once it is over.</returns>
    private async Task<bool> WaitsAsync(Task stream)
    {
        var patience = System.Diagnostics.Stopwatch.StartNew();
        while (clock.Count != 1 && !stream.IsCompleted)
        {
            Assert.InRange(clock.Count, 0, 1);
            Assert.True(patience.Elapsed < Patience, "the stream neither waits nor ends");
            await Task.Yield();
        }

        return !stream.IsCompleted;
    }

    private PageCall Call(Heard heard, SessionSecret secret)
    {
        var http = new DefaultHttpContext();
        http.Request.Method = "GET";
        http.Response.Body = heard;
        return new PageCall(new ApiCall(http, caller), caller, secret, clock.GetUtcNow().ToUnixTimeMilliseconds()) { Path = "/events" };
    }

    /// <summary>The browser's end: it counts what comes, and keeps the last of it alone.</summary>
    private sealed class Heard : MemoryStream
    {
        private int beats, changes;

        public int Beats => Volatile.Read(ref beats);

        public int Changes => Volatile.Read(ref changes);

        public string Last { get; private set; } = "";

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Last = Encoding.UTF8.GetString(buffer.Span);
            if (Last.StartsWith("event: beat", StringComparison.Ordinal))
                Interlocked.Increment(ref beats);
            if (Last.StartsWith("event: changed", StringComparison.Ordinal))
                Interlocked.Increment(ref changes);
            return ValueTask.CompletedTask;
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }
}
