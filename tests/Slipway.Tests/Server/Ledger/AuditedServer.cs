using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Ledger;
using Slipway.Documents.Registry;
using Slipway.Primitives.Faults;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;
using Slipway.Tests.Server.Storage;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Tests.Server.Ledger;

/// <summary>A running server whose database a test may write to behind its back, and which it then audits over HTTP.</summary>
internal sealed class AuditedServer : IAsyncDisposable
{
    private AuditedServer(TestServer server, Database database, LedgerWriter writer, TestClock clock, string folder) =>
        (Server, Database, Writer, Clock, Folder) = (server, database, writer, clock, folder);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public TestServer Server { get; }

    /// <summary>Another connection to the server's database.</summary>
    public Database Database { get; }

    /// <summary>Writes with the server's key.</summary>
    public LedgerWriter Writer { get; }

    public TestClock Clock { get; }

    /// <summary>The server's folder.</summary>
    public string Folder { get; }

    public static async Task<AuditedServer> StartAsync(DatabaseKind kind)
    {
        var (folder, connection, clock) = ("", (string?)null, new TestClock());
        var server = await TestServer.StartAsync(kind, options =>
        {
            (folder, connection) = (options.Folder, options.Database);
            return options with { Time = clock };
        });
        var database = await Database.OpenAsync(connection, Path.Combine(folder, "server.db"), Cancellation);
        return new AuditedServer(server, database, await LedgerWriter.OpenAsync(database, Path.Combine(folder, "ledger.key"), clock, Cancellation), clock, folder);
    }

    /// <summary>Records actions of Ada's on a model, two entries each.</summary>
    public async Task RecordAsync(int actions, string model = "flight-delay", string action = "version.registered")
    {
        for (var i = 0; i < actions; i++)
        {
            await Database.ChangeAsync(
                session => Writer.RecordAsync(session, TestLedger.Ada, action, [LedgerSubject.OfVersion(model, i + 1, MerkleHash.OfLeaf(BitConverter.GetBytes(i)))], $"reason {i}"), Cancellation);
        }
    }

    public Task<int> ExecuteAsync(string sql, object? parameters = null) => Database.ChangeAsync(session => session.ExecuteAsync(sql, parameters), Cancellation);

    public HttpLedger Source => new(Server.Admin);

    public Task<LedgerAuditReport> AuditAsync(params byte[][] earlier) => LedgerAudit.RunAsync(Source, Writer.Verifier, earlier, (_, _) => { }, Cancellation);

    public Task<byte[]> CheckpointAsync() => Source.ReadAsync("checkpoint", SignedNote.MaxBytes, Cancellation);

    public async ValueTask DisposeAsync()
    {
        Writer.Dispose();
        await Database.DisposeAsync();
        await Server.DisposeAsync();
    }
}

/// <summary>A ledger over a server's API.</summary>
internal sealed class HttpLedger(HttpClient client) : ILedgerSource
{
    public async Task<byte[]> ReadAsync(string path, int maxBytes, CancellationToken cancellation)
    {
        using var response = await client.GetAsync("/api/v1/ledger/" + path, cancellation);
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellation);
        Assert.True(bytes.Length <= maxBytes);
        return response.IsSuccessStatusCode ? bytes : throw new SlipwayException(ExitCode.BadVerdict, JsonSerializer.Deserialize(bytes, RegistryJson.Default.ErrorDocument)!.Faults);
    }

    public async Task<ImmutableArray<LedgerRecord>?> EntriesAsync(long after, CancellationToken cancellation) =>
        JsonSerializer.Deserialize(await ReadAsync($"entries?after={after}&limit=7", int.MaxValue, cancellation), LedgerJson.Default.ImmutableArrayLedgerRecord);
}
