using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Access;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Bytes;
using Slipway.Server.Ledger;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Storage;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Server.Ledger;

public sealed class LedgerEndpointsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Entries_come_newest_first_or_from_an_index_on_page_by_page(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(3);
        var all = await EntriesAsync(server, "");
        Assert.Equal(Enumerable.Range(0, all.Length).Reverse().Select(index => (long)index), all.Select(record => record.Index));
        Assert.Equal([5L, 4L], (await EntriesAsync(server, "?before=6&limit=2")).Select(record => record.Index));
        Assert.Equal([3L, 4L, 5L], (await EntriesAsync(server, "?after=2&limit=3")).Select(record => record.Index));
        Assert.Equal(all.Reverse().Select(record => record.Index), (await EntriesAsync(server, "?after=-1")).Select(record => record.Index));
        Assert.Empty(await EntriesAsync(server, "?after=1000"));

        Assert.Equal(("Ada", "reason 2", LedgerPhase.Done), (all[0].Payload!.ActorName, all[0].Payload!.Reason, all[0].Entry.Phase));
        Assert.Equal(all[1].Index, all[0].Entry.Intent);
        foreach (var query in (string[])["?limit=0", "?limit=x", "?after=-2", "?before=-1", "?since=today", "?after=1e3"])
        {
            using var refused = await server.Server.Admin.GetAsync("/api/v1/ledger/entries" + query, Cancellation);
            Assert.Equal((query, HttpStatusCode.BadRequest), (query, refused.StatusCode));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Entries_are_found_by_who_what_when_and_which(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        var began = server.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        await server.RecordAsync(1, "flight-delay");
        server.Clock.Step(TimeSpan.FromMinutes(1));
        await server.RecordAsync(1, "flight-delay-2", "rollout.started");
        await server.RecordAsync(1, "Flight-delay", "rolloutx.started");
        var digest = MerkleHash.OfLeaf(BitConverter.GetBytes(0));

        Assert.Equal(2, await CountAsync("subject=models/flight-delay"));
        Assert.Equal(2, await CountAsync("subject=models/flight-delay/versions/1"));
        Assert.Equal(0, await CountAsync("subject=models/flight-delay/versions"[..^1]));
        Assert.Equal(6, await CountAsync("subject=models"));
        Assert.Equal(6, await CountAsync($"subject={digest}"));
        Assert.Equal(0, await CountAsync($"subject={Digest.Of([])}"));
        Assert.Equal(2, await CountAsync("action=rollout"));
        Assert.Equal(2, await CountAsync("action=rollout.started"));
        Assert.Equal(0, await CountAsync("action=rollout.start"));
        Assert.Equal(6, await CountAsync("actor=user:ada"));
        Assert.Equal(6, await CountAsync("actor=Ada"));
        Assert.Equal(0, await CountAsync("actor=Ad"));
        Assert.Equal(0, await CountAsync("actor=" + Uri.EscapeDataString("Ada\",\"")));
        Assert.Equal(4, await CountAsync($"since={began + 1}"));
        Assert.Equal(2, await CountAsync($"until={began + 1}&actor=Ada"));
        Assert.Equal(2, await CountAsync($"since={began}&until={began + 60_000}&subject=models&limit=1000"));
        Assert.Equal(0, await CountAsync("subject=" + Uri.EscapeDataString("' OR 1=1 --")));

        async Task<int> CountAsync(string query) => (await EntriesAsync(server, "?" + query)).Length;
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_viewer_of_one_model_sees_that_models_entries_and_nothing_that_shows_more(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(1, "flight-delay");
        await server.RecordAsync(1, "churn");
        var both = await server.Database.ChangeAsync(
            session => server.Writer.RecordAsync(session, TestLedger.Ada, "policy.changed", [LedgerSubject.OfModel("churn"), LedgerSubject.OfModel("flight-delay")], "because"), Cancellation);
        var none = await server.Database.ChangeAsync(session => server.Writer.RecordAsync(session, TestLedger.Ada, "policy.changed", [], "because"), Cancellation);
        var viewer = await server.Server.AsAsync(Role.Viewer, "churn");

        var seen = await TestServer.GetAsync(viewer, "/api/v1/ledger/entries", LedgerJson.Default.ImmutableArrayLedgerRecord);
        Assert.Equal(["churn", "churn"], seen.Select(record => record.Entry.Subjects.Single().Model));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(viewer, "checkpoint"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(viewer, "key"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(viewer, $"proof/{seen[0].Index}"));
        foreach (var hidden in (long[])[0, seen[^1].Index - 1, both, none, 1000])
            Assert.Equal((hidden, HttpStatusCode.NotFound), (hidden, await StatusAsync(viewer, $"proof/{hidden}")));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(viewer, "tile/entries/000.p/1"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(viewer, "tile/0/000.p/1"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server.Server.Anonymous, "checkpoint"));

        // The column that is searched by is a copy: an edited one shows no more.
        await server.ExecuteAsync("UPDATE ledger_subjects SET model = 'churn'");
        Assert.Equal(2, (await TestServer.GetAsync(viewer, "/api/v1/ledger/entries", LedgerJson.Default.ImmutableArrayLedgerRecord)).Length);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Tiles_are_those_of_the_published_layout(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(130);
        var size = (await server.AuditAsync()).Entries;
        foreach (var tile in TilePath.OfTree(size).Append(new TilePath(0, 0, 3)).Append(new TilePath(null, 0, 3)))
        {
            using var response = await server.Server.Admin.GetAsync($"/api/v1/ledger/{tile}", Cancellation);
            var bytes = await response.Content.ReadAsByteArrayAsync(Cancellation);
            Assert.Equal((tile, HttpStatusCode.OK, "application/octet-stream"), (tile, response.StatusCode, response.Content.Headers.ContentType?.ToString()));
            Assert.Equal(tile.Width, tile.Level is null ? EntryBundle.Read(bytes)!.Count : bytes.Length / Digest.Length);
            Assert.Contains("immutable", response.Headers.CacheControl!.ToString());
        }

        foreach (var path in (string[])[$"tile/0/001.p/{size - 255}", "tile/0/001", "tile/2/000.p/1", "tile/0/0", "tile/", "tile/0/000.p/256", "tile/entries/x001/000", "tile/0/..%2f..%2fcheckpoint"])
            Assert.Equal((path, HttpStatusCode.NotFound), (path, await StatusAsync(server.Server.Admin, path)));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Every_entry_is_proven_offline(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(135);
        var all = (await EntriesAsync(server, "?after=-1&limit=1000")).ToDictionary(record => record.Index);
        foreach (var index in (long[])[0, 1, 2, 127, 128, 255, 256, 257, all.Count - 1])
        {
            var proof = TlogProof.Read(await server.Server.Admin.GetByteArrayAsync($"/api/v1/ledger/proof/{index}", Cancellation))!;
            var record = JsonSerializer.Deserialize(proof.Extra!.Value.AsSpan(), LedgerJson.Default.LedgerRecord)!;
            Assert.Equal((index, null), (record.Index, record.Payload));
            var leaf = CanonicalJson.Serialize(record.Entry, LedgerJson.Default.LedgerEntry);
            Assert.Equal(TlogProof.Verdict.Included, proof.Verify(leaf, server.Writer.Verifier.Name, [server.Writer.Verifier], out var checkpoint));
            Assert.Equal(all.Count, checkpoint!.Size);
        }

        var shown = TlogProof.Read(await server.Server.Admin.GetByteArrayAsync("/api/v1/ledger/proof/9?payload=true", Cancellation))!;
        Assert.Equal(all[9].Payload!.Reason, JsonSerializer.Deserialize(shown.Extra!.Value.AsSpan(), LedgerJson.Default.LedgerRecord)!.Payload!.Reason);
        foreach (var path in (string[])["proof/-1", "proof/x", $"proof/{all.Count}", "proof/99999999999999999999"])
            Assert.Equal((path, HttpStatusCode.NotFound), (path, await StatusAsync(server.Server.Admin, path)));

        // A proof that would not verify is not given out.
        await server.ExecuteAsync("UPDATE ledger_hashes SET hash = @hash WHERE level = 0 AND position = 8", new { hash = new byte[Digest.Length] });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await StatusAsync(server.Server.Admin, "proof/9"));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_erased_action_says_nothing_any_more_and_the_log_stays_sound(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(2);
        var size = (await server.AuditAsync()).Entries;
        var before = await server.CheckpointAsync();

        var answer = await EraseAsync(server.Server.Admin, size - 1);
        Assert.Equal([size - 2, size - 1], answer.Erased);
        var records = (await EntriesAsync(server, "?after=-1")).ToDictionary(record => record.Index);
        Assert.All(answer.Erased, index => Assert.Null(records[index].Payload));
        Assert.NotNull(records[size - 3].Payload);
        Assert.Equal(("ledger.erased", LedgerPhase.Done, "asked to"), (records[answer.Entry].Entry.Action, records[answer.Entry].Entry.Phase, records[answer.Entry].Payload!.Reason));
        Assert.Equal(answer.Erased.Select(index => (index, (Digest?)records[index].Entry.Payload)), records[answer.Entry].Entry.Subjects.Select(subject => (subject.Entry!.Value, subject.Digest)));
        Assert.DoesNotContain("reason 1", await server.Database.ReadAsync(session => session.FindAsync<string>("SELECT string_agg(payload, ' ') FROM ledger_entries"), Cancellation));

        var report = await server.AuditAsync(before);
        Assert.Empty(report.Problems);
        Assert.Equal((size + 2, size, 2), (report.Entries, report.Payloads, report.Erased));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server.Server.Admin, $"proof/{size - 1}?payload=true"));

        Assert.Equal(HttpStatusCode.Conflict, await EraseStatusAsync(server.Server.Admin, size - 2, "again"));
        Assert.Equal(HttpStatusCode.NotFound, await EraseStatusAsync(server.Server.Admin, 1000, "there is none"));
        Assert.Equal(HttpStatusCode.BadRequest, await EraseStatusAsync(server.Server.Admin, 0, " "));
        Assert.NotNull((await EntriesAsync(server, "?after=-1"))[0].Payload);
        foreach (var role in (Role[])[Role.Viewer, Role.Author, Role.Approver, Role.Operator])
            Assert.Equal((role, HttpStatusCode.Forbidden), (role, await EraseStatusAsync(await server.Server.AsAsync(role), 0, "may not")));
    }

    [Fact]
    public async Task What_was_erased_is_in_no_file_of_a_database_that_is_open()
    {
        await using var server = await AuditedServer.StartAsync(DatabaseKind.Sqlite);
        await server.RecordAsync(2);
        Assert.True(Holds("reason 1"));
        await EraseAsync(server.Server.Admin, (await server.AuditAsync()).Entries - 1);
        Assert.False(Holds("reason 1"));
        Assert.True(Holds("reason 0"));

        bool Holds(string text) => new[] { "", "-wal" }.Select(end => server.Server.Store.File + end)
            .Any(file => File.Exists(file) && File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0);
    }

    [Fact]
    public async Task What_was_erased_is_in_no_file_of_the_database_once_it_is_closed()
    {
        const string secret = "a-name-that-must-go";
        using var folder = new TestFolder();
        var file = folder["server.db"];
        await using (var database = await Slipway.Server.Storage.Database.OpenAsync(null, file, Cancellation))
        {
            using var writer = await LedgerWriter.OpenAsync(database, folder["ledger.key"], TimeProvider.System, Cancellation);
            var by = TestLedger.Ada with { Name = secret };
            for (var i = 0; i < 20; i++)
                await database.ChangeAsync(session => writer.RecordAsync(session, by, "version.registered", [], secret), Cancellation);
            Assert.True(Holds("server.db-wal", secret) || Holds("server.db", secret));
            for (var i = 0; i < 20; i++)
                await database.ChangeAsync(session => LedgerErasure.EraseAsync(session, writer, TestLedger.Ada, 2 * i, "asked to"), Cancellation);
        }

        Assert.False(File.Exists(file + "-wal"));
        Assert.False(Holds("server.db", secret));
        Assert.True(Holds("server.db", "asked to"));

        bool Holds(string name, string text) => File.Exists(folder[name]) && File.ReadAllBytes(folder[name]).AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) >= 0;
    }

    [Fact]
    public async Task A_page_of_large_payloads_is_cut_and_goes_on()
    {
        await using var server = await AuditedServer.StartAsync(DatabaseKind.Sqlite);
        using var large = JsonDocument.Parse($"\"{new string('x', LedgerWriter.MaxPayload - 1000)}\"");
        for (var i = 0; i < 3; i++)
            await server.Database.ChangeAsync(session => server.Writer.RecordAsync(session, TestLedger.Ada, "rollout.judged", [], "because", large.RootElement), Cancellation);
        for (var i = 0; i < 3; i++)
            await server.Database.ChangeAsync(session => server.Writer.AppendAsync(session, new LedgerAction("user:ada", "Ada", "rollout.judged", LedgerPhase.Intent, null, [], "because", large.RootElement)), Cancellation);

        var first = await EntriesAsync(server, "?after=-1&limit=1000");
        var rest = await EntriesAsync(server, $"?after={first[^1].Index}&limit=1000");
        Assert.Equal(Enumerable.Range(0, first.Length + rest.Length).Select(index => (long)index), first.Concat(rest).Select(record => record.Index));
        Assert.NotEmpty(rest);
        Assert.Empty((await server.AuditAsync()).Problems);
    }

    private static Task<ImmutableArray<LedgerRecord>> EntriesAsync(AuditedServer server, string query) =>
        TestServer.GetAsync(server.Server.Admin, "/api/v1/ledger/entries" + query, LedgerJson.Default.ImmutableArrayLedgerRecord);

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync("/api/v1/ledger/" + path, Cancellation);
        return response.StatusCode;
    }

    private static Task<LedgerErasureAnswer> EraseAsync(HttpClient client, long index) => TestServer.PostAsync(
        client, $"/api/v1/ledger/entries/{index}/erase", new LedgerErasureRequest("asked to"), LedgerJson.Default.LedgerErasureRequest, LedgerJson.Default.LedgerErasureAnswer);

    private static async Task<HttpStatusCode> EraseStatusAsync(HttpClient client, long index, string reason)
    {
        using var response = await client.PostAsync($"/api/v1/ledger/entries/{index}/erase", TestServer.Json(new LedgerErasureRequest(reason), LedgerJson.Default.LedgerErasureRequest), Cancellation);
        return response.StatusCode;
    }
}
