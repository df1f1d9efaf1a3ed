using System.Collections.Immutable;
using System.Text;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server.Ledger;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Storage;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Server.Ledger;

/// <summary>What somebody does to a server's database, with or without its key, and what an audit over HTTP makes of it.</summary>
public sealed class LedgerAuditTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_log_that_nobody_touched_is_sound_and_continues_what_it_was(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(4);
        var first = await server.AuditAsync();
        AssertSound(first);
        await server.RecordAsync(130);
        var then = await server.AuditAsync([.. first.Note]);
        AssertSound(then);
        Assert.Equal((first.Entries + 260, then.Entries, 0), (then.Entries, then.Payloads, then.Erased));
        Assert.Equal(then.Entries, then.Checkpoint!.Size);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_edited_entry_is_found(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(4);
        await EditLeafAsync(server, 5, leaf => leaf.Replace("user:ada", "user:eve", StringComparison.Ordinal));
        await AssertFoundAsync(server, "ledger-entry-edited", "entry 5 ");
        await AssertFoundAsync(server, "ledger-root-differs");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_entry_edited_with_its_stored_hash_is_found(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(4);
        await EditLeafAsync(server, 5, leaf => leaf.Replace("user:ada", "user:eve", StringComparison.Ordinal), withHash: true);
        await AssertFoundAsync(server, "ledger-root-differs");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_entry_that_is_none_is_found(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(4);
        await EditLeafAsync(server, 5, leaf => leaf.Replace("\"actor\"", "\"actress\"", StringComparison.Ordinal));
        await AssertFoundAsync(server, "ledger-entry-malformed", "entry 5 ");
        await AssertFoundAsync(server, "ledger-damaged", "entry 5 ");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_edited_hash_is_found_on_every_level(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(130);
        await server.ExecuteAsync("UPDATE ledger_hashes SET hash = @hash WHERE level = 1 AND position = 0", new { hash = new byte[Digest.Length] });
        await AssertFoundAsync(server, "ledger-hash-edited", "hash 0 of level 1");
        await server.ExecuteAsync("UPDATE ledger_hashes SET hash = @hash WHERE level = 0 AND position = 7", new { hash = new byte[Digest.Length] });
        await AssertFoundAsync(server, "ledger-entry-edited", "entry 7 ");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Entries_in_another_order_are_found(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(4);
        await SwapAsync(server, "ledger_entries", 4, 6);
        await AssertFoundAsync(server, "ledger-reordered", "entries 4, 6 ");
        await SwapAsync(server, "ledger_hashes", 4, 6);
        await AssertFoundAsync(server, "ledger-root-differs");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_edited_payload_and_one_that_is_gone_are_found(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(4);
        await server.ExecuteAsync("UPDATE ledger_entries SET payload = NULL WHERE position = 6");
        await AssertFoundAsync(server, "ledger-payload-missing", "entry 6 ");
        await server.ExecuteAsync("UPDATE ledger_entries SET payload = replace(payload, 'reason', 'excuse') WHERE position = 5");
        await AssertFoundAsync(server, "ledger-damaged", "payload of entry 5 ");
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Entries_cut_off_under_the_same_checkpoint_are_found(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(4);
        var size = (await server.AuditAsync()).Entries;
        await CutAsync(server, size - 2);
        await AssertFoundAsync(server, "ledger-damaged", $"{size - 2} of its {size} rows");
    }

    /// <summary>Back to an earlier state of the whole database, as from a backup: everything in it is rightly signed.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public async Task A_log_that_was_put_back_is_found_by_who_saw_it_before(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(4);
        var back = await LogRowAsync(server);
        var size = (await server.AuditAsync()).Entries;
        await server.RecordAsync(2);
        var seen = await server.CheckpointAsync();

        await CutAsync(server, size);
        await RestoreAsync(server, back);
        AssertSound(await server.AuditAsync());
        await AssertFoundAsync(server, "ledger-truncated", $"had {size + 4} entries", seen);
    }

    /// <summary>Put back, and written on by somebody who has the key: longer than before, and another history.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public async Task A_fork_is_found_by_who_saw_the_other_branch(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(4);
        var common = await server.CheckpointAsync();
        var back = await LogRowAsync(server);
        var size = (await server.AuditAsync()).Entries;
        await server.RecordAsync(2);
        var seen = await server.CheckpointAsync();

        await CutAsync(server, size);
        await RestoreAsync(server, back);
        await server.RecordAsync(9, action: "version.rejected");
        AssertSound(await server.AuditAsync());
        AssertSound(await server.AuditAsync(common));
        await AssertFoundAsync(server, "ledger-forked", $"first {size + 4} entries", common, seen);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_changed_checkpoint_is_found(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(4);
        var seen = await server.CheckpointAsync();
        await server.ExecuteAsync("UPDATE ledger_log SET checkpoint = replace(checkpoint, 'slipway/ledger', 'slipway/legder')");
        await AssertFoundAsync(server, "ledger-damaged", "checkpoint is not one that this log has signed");
        seen[^10] ^= 1;
        await AssertFoundAsync(server, "ledger-damaged", "", seen);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_log_by_another_key_than_the_trusted_one_is_not_sound(DatabaseKind kind)
    {
        await using var server = await AuditedServer.StartAsync(kind);
        await using var other = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        var report = await LedgerAudit.RunAsync(server.Source, other.Writer.Verifier, [], (_, _) => { }, Cancellation);
        Assert.Equal(["ledger-checkpoint-untrusted"], report.Problems.Select(problem => problem.Code));
        Assert.False(report.IsSound);
        Assert.Null(report.Checkpoint);

        var first = await LedgerAudit.RunAsync(server.Source, null, [], (_, _) => { }, Cancellation);
        Assert.Equal(server.Writer.Verifier, first.Key);
        AssertSound(first);
    }

    [Fact]
    public async Task Rightly_signed_entries_that_break_the_rules_are_found()
    {
        await using var server = await AuditedServer.StartAsync(DatabaseKind.Sqlite);
        await AppendAsync(LedgerPhase.Done, null);
        await AssertFoundAsync(server, "ledger-outcome-without-intent", "entry 4 is an outcome, and entry - ");
        var intent = await AppendAsync(LedgerPhase.Intent, null);
        Assert.Equal([intent], (await server.AuditAsync()).Open);
        await AppendAsync(LedgerPhase.Failed, intent);
        await AppendAsync(LedgerPhase.Done, intent);
        await AssertFoundAsync(server, "ledger-outcome-without-intent", $"entry {intent + 2} is an outcome, and entry {intent} is no intent that still waits");
        await AppendAsync(LedgerPhase.Intent, 0);
        await AssertFoundAsync(server, "ledger-intent-refers", $"entry {intent + 3} ");
        await AppendAsync(LedgerPhase.Done, intent + 3, "rollout.promoted");
        await AssertFoundAsync(server, "ledger-outcome-without-intent", $"entry {intent + 4} is an outcome of 'rollout.promoted'");
        await server.ExecuteAsync("UPDATE ledger_log SET last_time = 0");
        server.Clock.Step(-TimeSpan.FromSeconds(1));
        await server.RecordAsync(1);
        await AssertFoundAsync(server, "ledger-time-decreases", $"entry {intent + 5} ");

        Task<long> AppendAsync(LedgerPhase phase, long? intent, string action = "rollout.started") => server.Database.ChangeAsync(
            session => server.Writer.AppendAsync(session, new LedgerAction("user:ada", "Ada", action, phase, intent, [], "because")), Cancellation);
    }

    /// <summary>A server that answers what suits it: each lie is held against the rest of what it says.</summary>
    [Fact]
    public async Task A_server_that_lies_is_found_out()
    {
        await using var server = await AuditedServer.StartAsync(DatabaseKind.Sqlite);
        await server.RecordAsync(4);
        var size = (await server.AuditAsync()).Entries;

        await AssertLieAsync("ledger-entries-hidden", new Liar(server.Source) { Entries = page => [.. page.Where(record => record.Index != 5)] });
        await AssertLieAsync("ledger-entries-hidden", new Liar(server.Source) { Entries = page => [.. page.Where(record => record.Index < 5)] });
        await AssertLieAsync("ledger-list-differs", new Liar(server.Source) { Entries = page => [.. page.Select(record => record.Index == 5 ? record with { Entry = record.Entry with { Actor = "user:eve" } } : record)] });
        await AssertLieAsync("ledger-payload-edited", new Liar(server.Source) { Entries = page => [.. page.Select(record => record.Index == 5 ? record with { Payload = record.Payload! with { Reason = "excuse" } } : record)] });
        await AssertLieAsync("ledger-payload-missing", new Liar(server.Source) { Entries = page => [.. page.Select(record => record.Index == 5 ? record with { Payload = null } : record)] });
        await AssertLieAsync("ledger-bundle-malformed", new Liar(server.Source) { File = (path, bytes) => path.StartsWith("tile/entries", StringComparison.Ordinal) ? bytes[..^1] : bytes });
        await AssertLieAsync("ledger-bundle-malformed", new Liar(server.Source) { File = (path, bytes) => path.StartsWith("tile/entries", StringComparison.Ordinal) ? [.. bytes, 0, 0] : bytes });
        await AssertLieAsync("ledger-tile-malformed", new Liar(server.Source) { File = (path, bytes) => path.StartsWith("tile/0", StringComparison.Ordinal) ? [] : bytes });
        await AssertLieAsync("ledger-checkpoint-untrusted", new Liar(server.Source) { File = (path, bytes) => path == "checkpoint" ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace($"\n{size}\n", $"\n{size - 2}\n", StringComparison.Ordinal)) : bytes });
        await AssertLieAsync("ledger-key-malformed", new Liar(server.Source) { File = (path, bytes) => path == "key" ? [] : bytes }, trusted: false);
        AssertSound(await LedgerAudit.RunAsync(new Liar(server.Source), server.Writer.Verifier, [], (_, _) => { }, Cancellation));

        async Task AssertLieAsync(string code, Liar liar, bool trusted = true)
        {
            var report = await LedgerAudit.RunAsync(liar, trusted ? server.Writer.Verifier : null, [], (_, _) => { }, Cancellation);
            Assert.False(report.IsSound);
            Assert.Contains(report.Problems, problem => problem.Code == code);
        }
    }

    [Fact]
    public async Task A_server_that_is_gone_is_no_verdict()
    {
        await using var ledger = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        var gone = new Liar(new HttpLedger(new HttpClient { BaseAddress = new Uri("http://127.0.0.1:1") })) { Fails = new SlipwayException(ExitCode.NotThere, new Fault("server-unreachable", "gone")) };
        Assert.Equal(ExitCode.NotThere, (await Assert.ThrowsAsync<SlipwayException>(() => LedgerAudit.RunAsync(gone, ledger.Writer.Verifier, [], (_, _) => { }, Cancellation))).Exit);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_copy_in_files_is_audited_like_its_server(DatabaseKind kind)
    {
        using var copy = new TestFolder();
        await using var server = await AuditedServer.StartAsync(kind);
        await server.RecordAsync(130);
        var note = await server.CheckpointAsync();
        await LedgerFolder.CopyAsync(server.Source, copy.Root, note, (await server.AuditAsync()).Entries, Cancellation);
        var report = await LedgerAudit.RunAsync(new LedgerFolder(copy.Root), server.Writer.Verifier, [note], (_, _) => { }, Cancellation);
        AssertSound(report);
        Assert.Contains("payloads", Assert.Single(report.Notes));

        File.Delete(copy["tile/entries/000"]);
        var missing = await LedgerAudit.RunAsync(new LedgerFolder(copy.Root), server.Writer.Verifier, [note], (_, _) => { }, Cancellation);
        Assert.Equal("ledger-file-missing", Assert.Single(missing.Problems).Code);
        File.Delete(copy["checkpoint"]);
        Assert.Equal(ExitCode.UnusableInput, (await Assert.ThrowsAsync<SlipwayException>(() => LedgerAudit.RunAsync(new LedgerFolder(copy.Root), server.Writer.Verifier, [note], (_, _) => { }, Cancellation))).Exit);
    }

    [Fact]
    public async Task Problems_are_bounded_and_a_malformed_earlier_checkpoint_is_one()
    {
        await using var server = await AuditedServer.StartAsync(DatabaseKind.Sqlite);
        await server.RecordAsync(100);
        await server.ExecuteAsync("UPDATE ledger_entries SET payload = NULL");
        Assert.Equal(LedgerAuditReport.MaxProblems, (await server.AuditAsync()).Problems.Length);
        Assert.Contains((await server.AuditAsync([1, 2, 3])).Problems, problem => problem.Code == "ledger-checkpoint-untrusted");
    }

    private static void AssertSound(LedgerAuditReport report)
    {
        Assert.Empty(report.Problems);
        Assert.True(report.IsSound);
    }

    private static async Task AssertFoundAsync(AuditedServer server, string code, string message = "", params byte[][] earlier)
    {
        var report = await server.AuditAsync(earlier);
        Assert.False(report.IsSound);
        Assert.Contains(report.Problems, problem => problem.Code == code && problem.Message.Contains(message, StringComparison.Ordinal));
    }

    private static async Task EditLeafAsync(AuditedServer server, long position, Func<string, string> edit, bool withHash = false)
    {
        var before = await server.Database.ReadAsync(session => session.FindAsync<byte[]>("SELECT leaf FROM ledger_entries WHERE position = @position", new { position }), Cancellation);
        var leaf = Encoding.UTF8.GetBytes(edit(Encoding.UTF8.GetString(before!)));
        Assert.NotEqual(before, leaf);
        await server.ExecuteAsync("UPDATE ledger_entries SET leaf = @leaf WHERE position = @position", new { leaf, position });
        if (withHash)
            await server.ExecuteAsync("UPDATE ledger_hashes SET hash = @hash WHERE level = 0 AND position = @position", new { hash = Convert.FromHexString(MerkleHash.OfLeaf(leaf).Hex), position });
    }

    /// <summary>Exchanges two rows in all but their subjects, which are no part of what is signed.</summary>
    private static Task SwapAsync(AuditedServer server, string table, long one, long other) => server.Database.ChangeAsync(
        async session =>
        {
            var columns = table == "ledger_entries" ? "leaf, payload, time, actor, action, intent" : "hash";
            var level = table == "ledger_entries" ? "" : "level, ";
            var keep = table == "ledger_entries" ? "" : "level = 0 AND ";
            await session.ExecuteAsync($"INSERT INTO {table} ({level}position, {columns}) SELECT {level}-1, {columns} FROM {table} WHERE {keep}position = @one", new { one });
            var set = string.Join(", ", columns.Split(", ").Select(column => $"{column} = (SELECT b.{column} FROM {table} b WHERE {keep.Replace("level", "b.level", StringComparison.Ordinal)}b.position = @from)"));
            await session.ExecuteAsync($"UPDATE {table} SET {set} WHERE {keep}position = @to", new { from = other, to = one });
            await session.ExecuteAsync($"UPDATE {table} SET {set} WHERE {keep}position = @to", new { from = -1L, to = other });
            await session.ExecuteAsync($"DELETE FROM {table} WHERE position = -1");
        },
        Cancellation);

    private static async Task CutAsync(AuditedServer server, long size)
    {
        await server.ExecuteAsync("DELETE FROM ledger_subjects WHERE position >= @size", new { size });
        await server.ExecuteAsync("DELETE FROM ledger_entries WHERE position >= @size", new { size });
        await server.ExecuteAsync("DELETE FROM ledger_hashes WHERE level = 0 AND position >= @size", new { size });
    }

    private static async Task<(string Checkpoint, byte[] Peaks, long LastTime)> LogRowAsync(AuditedServer server) =>
        await server.Database.ReadAsync(session => session.FindAsync<(string, byte[], long)>("SELECT checkpoint, peaks, last_time FROM ledger_log"), Cancellation);

    private static Task<int> RestoreAsync(AuditedServer server, (string Checkpoint, byte[] Peaks, long LastTime) row) =>
        server.ExecuteAsync("UPDATE ledger_log SET checkpoint = @Checkpoint, peaks = @Peaks, last_time = @LastTime", new { row.Checkpoint, row.Peaks, row.LastTime });

    private sealed class Liar(ILedgerSource truth) : ILedgerSource
    {
        public Func<string, byte[], byte[]> File { get; init; } = (_, bytes) => bytes;

        public Func<ImmutableArray<LedgerRecord>, ImmutableArray<LedgerRecord>> Entries { get; init; } = page => page;

        public SlipwayException? Fails { get; init; }

        public async Task<byte[]> ReadAsync(string path, int maxBytes, CancellationToken cancellation) =>
            Fails is null ? File(path, await truth.ReadAsync(path, maxBytes, cancellation)) : throw Fails;

        public async Task<ImmutableArray<LedgerRecord>?> EntriesAsync(long after, CancellationToken cancellation) =>
            Fails is null ? Entries((await truth.EntriesAsync(after, cancellation))!.Value) : throw Fails;
    }
}
