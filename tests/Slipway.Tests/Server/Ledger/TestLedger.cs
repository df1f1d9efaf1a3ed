using System.Text;
using Slipway.Documents.Ledger;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;
using Slipway.Tests.Server.Storage;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Server.Ledger;

/// <summary>An empty store with its ledger, and a clock that stands where it is set.</summary>
internal sealed class TestLedger : IAsyncDisposable
{
    public static readonly Caller Ada = new("user:ada", "Ada", [], [], []);

    private readonly TestDatabase store;

    private TestLedger(TestDatabase store, LedgerWriter writer, TestClock clock) => (this.store, Writer, Clock) = (store, writer, clock);

    public Database Database => store.Database;

    public TestDatabase Store => store;

    public LedgerWriter Writer { get; }

    public TestClock Clock { get; }

    public string KeyFile => KeyFileIn(store);

    public static async Task<TestLedger> OpenAsync(DatabaseKind kind)
    {
        var store = await TestDatabase.OpenAsync(kind);
        try
        {
            var clock = new TestClock();
            return new TestLedger(store, await LedgerWriter.OpenAsync(store.Database, KeyFileIn(store), clock, TestContext.Current.CancellationToken), clock);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>Records an action of Ada's on a model, as a change of its own.</summary>
    /// <returns>The index of the outcome.</returns>
    public Task<long> RecordAsync(string action = "version.registered", string model = "flight-delay", string reason = "because", Caller? by = null) =>
        Database.ChangeAsync(
            session => Writer.RecordAsync(session, by ?? Ada, action, [LedgerSubject.OfVersion(model, 1, MerkleHash.OfLeaf(Encoding.UTF8.GetBytes(model)))], reason),
            TestContext.Current.CancellationToken);

    public Task<int> ExecuteAsync(string sql, object? parameters = null) =>
        Database.ChangeAsync(session => session.ExecuteAsync(sql, parameters), TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        Writer.Dispose();
        await store.DisposeAsync();
    }

    private static string KeyFileIn(TestDatabase store) => Path.Combine(store.Folder, "ledger.key");
}
