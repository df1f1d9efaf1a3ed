using Slipway.Documents.Ledger;
using Slipway.Primitives.Faults;
using Slipway.Server.Ledger;
using Slipway.Tests.Primitives;
using Slipway.Tests.Server.Storage;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Server.Ledger;

public sealed class LedgerMirrorTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TestFolder folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    public void Dispose() => folder.Dispose();

    [Theory, MemberData(nameof(Kinds))]
    public async Task Every_change_is_copied_with_its_tiles_and_its_checkpoint(DatabaseKind kind)
    {
        await using var ledger = await TestLedger.OpenAsync(kind);
        await ledger.RecordAsync();
        await using (await StartAsync(ledger))
        {
            Assert.Equal(2, MirroredSize(ledger));
            await ledger.RecordAsync();
            await Eventually.True(() => MirroredSize(ledger) == 4, Patience);
        }

        await ledger.RecordAsync();
        Assert.Equal(4, MirroredSize(ledger));
        await using (await StartAsync(ledger))
            Assert.Equal(6, MirroredSize(ledger));

        Assert.Equal(ledger.Writer.Verifier, NoteKey.Parse(File.ReadAllText(folder["mirror/key"])));
        Assert.Equal(["2", "4", "6"], Directory.GetFiles(folder["mirror/checkpoints"]).Select(Path.GetFileName).Order());
        var tree = new CompactRange();
        foreach (var record in EntryBundle.Read(File.ReadAllBytes(folder["mirror/tile/entries/000.p/6"]))!)
            tree.Append(MerkleHash.OfLeaf(record));
        Checkpoint.Open(File.ReadAllBytes(folder["mirror/checkpoint"]), ledger.Writer.Verifier.Name, [ledger.Writer.Verifier], out var checkpoint);
        Assert.Equal(tree.Root, checkpoint!.Root);
    }

    [Fact]
    public async Task What_is_written_last_is_copied_before_the_end()
    {
        await using var ledger = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        await using (await StartAsync(ledger))
        {
            for (var i = 0; i < 10; i++)
                await ledger.RecordAsync();
        }

        Assert.Equal(20, MirroredSize(ledger));
    }

    [Fact]
    public async Task Partial_tiles_give_way_to_full_ones_and_the_copy_is_sound()
    {
        await using var ledger = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        await using (await StartAsync(ledger))
        {
            for (var i = 0; i < 100; i++)
                await ledger.RecordAsync();
            await Eventually.True(() => MirroredSize(ledger) == 200, Patience);
            Assert.True(Directory.Exists(folder["mirror/tile/0/000.p"]));
            for (var i = 0; i < 30; i++)
                await ledger.RecordAsync();
        }

        Assert.True(File.Exists(folder["mirror/tile/0/000"]) && File.Exists(folder["mirror/tile/entries/000"]) && File.Exists(folder["mirror/tile/entries/001.p/4"]));
        Assert.False(Directory.Exists(folder["mirror/tile/0/000.p"]) || Directory.Exists(folder["mirror/tile/entries/000.p"]));
        var report = await LedgerAudit.RunAsync(
            new LedgerFolder(folder["mirror"]), ledger.Writer.Verifier, [.. Directory.GetFiles(folder["mirror/checkpoints"]).Select(File.ReadAllBytes)], (_, _) => { }, Cancellation);
        Assert.Empty(report.Problems);
        Assert.Equal(260, report.Entries);
    }

    /// <summary>A server whose database was put back, or written anew by somebody who has the key as well: its own checkpoint is good.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task A_database_that_was_put_back_and_written_on_is_caught_at_the_next_start(int entriesSince)
    {
        await using var ledger = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        await ledger.RecordAsync();
        using var before = new TestFolder();
        await using (await StartAsync(ledger))
        {
            await BackUpAsync(ledger, before["server.db"]);
            await ledger.RecordAsync("rollout.promoted");
        }

        Assert.Equal(4, MirroredSize(ledger));
        await using var restored = await Slipway.Server.Storage.Database.OpenAsync(null, before["server.db"], Cancellation);
        using var writer = await LedgerWriter.OpenAsync(restored, ledger.KeyFile, ledger.Clock, Cancellation);
        for (var i = 1; i < entriesSince; i++)
            await restored.ChangeAsync(session => writer.RecordAsync(session, TestLedger.Ada, "rollout.rejected", [], "because"), Cancellation);

        var refused = await Assert.ThrowsAsync<SlipwayException>(() => LedgerMirror.StartAsync(restored, writer, folder["mirror"], _ => { }, TimeProvider.System, Cancellation));
        Assert.Equal(("ledger-rewritten", ExitCode.BadVerdict), (refused.Faults[0].Code, refused.Exit));
        Assert.Equal(4, MirroredSize(ledger));
    }

    [Fact]
    public async Task A_mirror_of_another_log_is_not_written_over()
    {
        await using var ledger = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        await using (await StartAsync(ledger))
        {
        }

        await using var other = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        Assert.Equal("ledger-rewritten", (await Assert.ThrowsAsync<SlipwayException>(() => StartAsync(other))).Faults[0].Code);
        Assert.Equal(0, MirroredSize(ledger));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_stops_no_change_and_is_told_once_until_it_is_back()
    {
        await using var ledger = await TestLedger.OpenAsync(DatabaseKind.Sqlite);
        var told = new List<string>();
        await using var mirror = await LedgerMirror.StartAsync(ledger.Database, ledger.Writer, folder["mirror"], told.Add, TimeProvider.System, Cancellation);
        Directory.Delete(folder["mirror"], recursive: true);
        File.WriteAllText(folder["mirror"], "in the way");
        await ledger.RecordAsync();
        await Eventually.True(() => told.Count > 0, Patience);
        await ledger.RecordAsync();

        File.Delete(folder["mirror"]);
        await ledger.RecordAsync();
        await Eventually.True(() => File.Exists(folder["mirror/checkpoint"]) && MirroredSize(ledger) == 6, Patience);
        Assert.Contains("not mirrored", Assert.Single(told));
    }

    private Task<LedgerMirror> StartAsync(TestLedger ledger) =>
        LedgerMirror.StartAsync(ledger.Database, ledger.Writer, folder["mirror"], message => Assert.Fail(message), TimeProvider.System, Cancellation);

    private static async Task BackUpAsync(TestLedger ledger, string file)
    {
        await using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={ledger.Store.File};Pooling=False");
        await connection.OpenAsync(Cancellation);
        await using var copy = connection.CreateCommand();
        copy.CommandText = $"VACUUM INTO '{file}'";
        await copy.ExecuteNonQueryAsync(Cancellation);
    }

    private long MirroredSize(TestLedger ledger)
    {
        Assert.Equal(Checkpoint.Verdict.Trusted, Checkpoint.Open(File.ReadAllBytes(folder["mirror/checkpoint"]), ledger.Writer.Verifier.Name, [ledger.Writer.Verifier], out var checkpoint));
        return checkpoint!.Size;
    }
}
