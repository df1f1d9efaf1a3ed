using System.Text;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;
using Slipway.Tests.Server.Storage;
using Slipway.Trust.Signing;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Server.Ledger;

public sealed class LedgerWriterTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task An_action_is_an_intent_and_an_outcome_under_one_signed_root(DatabaseKind kind)
    {
        await using var ledger = await TestLedger.OpenAsync(kind);
        Assert.Equal(1, await ledger.RecordAsync());
        Assert.Equal(3, await ledger.RecordAsync("version.rejected", reason: "no: \"ü\u0000\""));

        var rows = await RowsAsync(ledger);
        var entries = rows.Select(row => CanonicalEntry(row.Leaf)).ToArray();
        Assert.Equal([LedgerPhase.Intent, LedgerPhase.Done, LedgerPhase.Intent, LedgerPhase.Done], entries.Select(entry => entry.Phase));
        Assert.Equal([null, 0, null, 2], entries.Select(entry => entry.Intent));
        Assert.All(entries, entry => Assert.Equal(("user:ada", "models/flight-delay/versions/1"), (entry.Actor, entry.Subjects.Single().Name)));
        Assert.Equal(entries.Select(entry => entry.Payload), rows.Select(row => Digest.Of(Encoding.UTF8.GetBytes(row.Payload))));
        Assert.Equal(4, rows.Select(row => row.Payload).Distinct().Count());
        Assert.DoesNotContain("Ada", string.Concat(rows.Select(row => Encoding.UTF8.GetString(row.Leaf))));

        var tree = new CompactRange();
        foreach (var row in rows)
            tree.Append(MerkleHash.OfLeaf(row.Leaf));
        var head = await HeadAsync(ledger);
        Assert.Equal((4, tree.Root), (head.Checkpoint.Size, head.Checkpoint.Root));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_change_that_throws_leaves_no_entry_and_no_other_checkpoint(DatabaseKind kind)
    {
        await using var ledger = await TestLedger.OpenAsync(kind);
        await ledger.RecordAsync();
        var before = await HeadAsync(ledger);
        await Assert.ThrowsAsync<InvalidOperationException>(() => ledger.Database.ChangeAsync(
            async session =>
            {
                await ledger.Writer.RecordAsync(session, TestLedger.Ada, "version.registered", [], "because");
                throw new InvalidOperationException();
            },
            Cancellation));
        Assert.Equal(before.Note, (await HeadAsync(ledger)).Note);
        Assert.Equal(3, await ledger.RecordAsync());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_clock_that_steps_back_does_not_take_the_ledger_with_it(DatabaseKind kind)
    {
        await using var ledger = await TestLedger.OpenAsync(kind);
        await ledger.RecordAsync();
        var first = ledger.Clock.GetUtcNow();
        ledger.Clock.Step(-TimeSpan.FromHours(1));
        await ledger.RecordAsync();
        ledger.Clock.Step(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1));
        await ledger.RecordAsync();

        var times = (await RowsAsync(ledger)).Select(row => CanonicalEntry(row.Leaf).Time - first.ToUnixTimeMilliseconds());
        Assert.Equal([0, 0, 0, 0, 1000, 1000], times);
    }

    [Fact]
    public async Task An_entry_without_reason_or_too_large_is_refused_and_leaves_nothing()
    {
        await using var ledger = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        Assert.Equal("no-reason", (await Assert.ThrowsAsync<ApiProblem>(() => ledger.RecordAsync(reason: " \n"))).Fault.Code);
        Assert.Equal("ledger-entry-too-large", (await Assert.ThrowsAsync<SlipwayException>(() => ledger.RecordAsync(reason: new string('x', LedgerWriter.MaxPayload)))).Faults[0].Code);
        Assert.Equal("ledger-entry-too-large", (await Assert.ThrowsAsync<SlipwayException>(() => ledger.RecordAsync(model: new string('x', EntryBundle.MaxRecord)))).Faults[0].Code);
        Assert.Empty(await RowsAsync(ledger));
        Assert.Equal(1, await ledger.RecordAsync(reason: new string('x', LedgerWriter.MaxPayload - 1000)));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_server_goes_on_with_its_key_and_another_key_is_refused(DatabaseKind kind)
    {
        await using var ledger = await TestLedger.OpenAsync(kind);
        await ledger.RecordAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(ledger.KeyFile));
        using (var again = await LedgerWriter.OpenAsync(await ledger.Store.OpenAgainAsync(), ledger.KeyFile, ledger.Clock, Cancellation))
        {
            Assert.Equal(ledger.Writer.Verifier, again.Verifier);
            Assert.Equal(3, await ledger.Database.ChangeAsync(session => again.RecordAsync(session, TestLedger.Ada, "version.registered", [], "because"), Cancellation));
        }

        var elsewhere = Path.Combine(ledger.Store.Folder, "elsewhere", "ledger.key");
        await AssertRefusedAsync("ledger-key-missing", ExitCode.NotThere, elsewhere);
        Assert.False(File.Exists(elsewhere));
        using (var other = SigningKey.Create())
            other.Save(elsewhere);
        await AssertRefusedAsync("ledger-key-differs", ExitCode.UnusableInput, elsewhere);

        async Task AssertRefusedAsync(string code, ExitCode exit, string file)
        {
            var refused = await Assert.ThrowsAsync<SlipwayException>(() => LedgerWriter.OpenAsync(ledger.Database, file, ledger.Clock, Cancellation));
            Assert.Equal((code, exit), (refused.Faults[0].Code, refused.Exit));
        }
    }

    [Fact]
    public async Task A_first_start_that_was_cut_off_after_the_key_goes_on_with_it()
    {
        await using var store = await TestDatabase.OpenAsync(DatabaseKind.Sqlite);
        var file = Path.Combine(store.Folder, "ledger.key");
        using var key = SigningKey.Create();
        key.Save(file);
        using var writer = await LedgerWriter.OpenAsync(store.Database, file, TimeProvider.System, Cancellation);
        Assert.Equal(key.PublicKey.KeyId, writer.Verifier.Key.KeyId);
    }

    /// <summary>What somebody with the database but without the key can do to the row that says where the log stands.</summary>
    [Theory]
    [InlineData("DELETE FROM ledger_log")]
    [InlineData("UPDATE ledger_log SET peaks = X''")]
    [InlineData("UPDATE ledger_log SET peaks = zeroblob(32)")]
    [InlineData("UPDATE ledger_log SET peaks = zeroblob(31)")]
    [InlineData("UPDATE ledger_log SET checkpoint = replace(checkpoint, char(10) || '4' || char(10), char(10) || '2' || char(10))")]
    [InlineData("UPDATE ledger_log SET checkpoint = ''")]
    public async Task Nothing_is_signed_on_top_of_a_head_that_was_changed(string sql)
    {
        await using var ledger = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        await ledger.RecordAsync();
        await ledger.RecordAsync();
        Assert.Equal(1, await ledger.ExecuteAsync(sql));

        var refused = await Assert.ThrowsAsync<SlipwayException>(() => ledger.RecordAsync());
        Assert.Equal(("ledger-damaged", ExitCode.BadVerdict), (refused.Faults[0].Code, refused.Exit));
        Assert.Equal("ledger-damaged", (await Assert.ThrowsAsync<SlipwayException>(() => LedgerWriter.OpenAsync(ledger.Database, ledger.KeyFile, ledger.Clock, Cancellation))).Faults[0].Code);
    }

    [Theory]
    [InlineData("UPDATE ledger_hashes SET hash = zeroblob(32) WHERE position = 1", "do not lead to the signed root")]
    [InlineData("DELETE FROM ledger_hashes WHERE position = 1", "are missing")]
    [InlineData("DELETE FROM ledger_subjects WHERE position = 3; DELETE FROM ledger_entries WHERE position = 3", "its last entry is 2, and 4 are signed")]
    [InlineData("INSERT INTO ledger_entries SELECT 4, leaf, payload, time, actor, action, intent FROM ledger_entries WHERE position = 3", "its last entry is 4, and 4 are signed")]
    [InlineData("UPDATE ledger_entries SET leaf = X'00' WHERE position = 3", "entry 3 is not the one")]
    public async Task A_server_does_not_start_on_a_ledger_whose_end_was_changed(string sql, string message)
    {
        await using var ledger = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        await ledger.RecordAsync();
        await ledger.RecordAsync();
        await ledger.ExecuteAsync(sql);
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => LedgerWriter.OpenAsync(ledger.Database, ledger.KeyFile, ledger.Clock, Cancellation));
        Assert.Equal(("ledger-damaged", ExitCode.BadVerdict), (refused.Faults[0].Code, refused.Exit));
        Assert.Contains(message, refused.Message);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Two_servers_append_to_one_log(DatabaseKind kind)
    {
        const int each = 20;
        await using var ledger = await TestLedger.OpenAsync(kind);
        var database = await ledger.Store.OpenAgainAsync();
        using var other = await LedgerWriter.OpenAsync(database, ledger.KeyFile, ledger.Clock, Cancellation);
        await Task.WhenAll(AppendAsync(ledger.Database, ledger.Writer), AppendAsync(database, other));

        var tree = new CompactRange();
        foreach (var row in await RowsAsync(ledger))
            tree.Append(MerkleHash.OfLeaf(row.Leaf));
        var head = await HeadAsync(ledger);
        Assert.Equal((4 * each, tree.Root), (head.Checkpoint.Size, head.Checkpoint.Root));

        static async Task AppendAsync(Database database, LedgerWriter writer)
        {
            for (var i = 0; i < each; i++)
                await database.ChangeAsync(session => writer.RecordAsync(session, TestLedger.Ada, "version.registered", [], "because"), Cancellation);
        }
    }

    private static Task<LedgerHead> HeadAsync(TestLedger ledger) => ledger.Database.ReadAsync(session => LedgerHead.ReadAsync(session, ledger.Writer.Verifier), Cancellation);

    private static async Task<IReadOnlyList<(byte[] Leaf, string Payload)>> RowsAsync(TestLedger ledger) =>
        await ledger.Database.ReadAsync(session => session.QueryAsync<(byte[], string)>("SELECT leaf, payload FROM ledger_entries ORDER BY position"), Cancellation);

    private static LedgerEntry CanonicalEntry(byte[] leaf)
    {
        var entry = System.Text.Json.JsonSerializer.Deserialize(leaf, LedgerJson.Default.LedgerEntry)!;
        Assert.Equal(leaf, CanonicalJson.Serialize(entry, LedgerJson.Default.LedgerEntry));
        return entry;
    }
}
