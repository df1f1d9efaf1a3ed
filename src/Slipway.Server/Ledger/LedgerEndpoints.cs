using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Bytes;
using Slipway.Server.Api;
using Slipway.Server.Storage;
using Slipway.Trust.TransparencyLog;

namespace Slipway.Server.Ledger;

/// <summary>The ledger over HTTP: by the published layout for tools that check logs, and as documents for people.</summary>
internal static class LedgerEndpoints
{
    private const string Text = "text/plain; charset=utf-8", Bytes = "application/octet-stream";

    /// <summary>Of the published layout: a checkpoint changes with every entry, a tile never.</summary>
    private const string Fresh = "no-cache", Forever = "private, max-age=31536000, immutable";

    public static IEnumerable<ApiEndpoint> All(Database database, LedgerWriter ledger) =>
    [
        new("GET", "/api/v1/ledger/key", Permission.Read, call => AnswerAsync(call, Encoding.UTF8.GetBytes(ledger.Verifier + "\n"), Text, Fresh), AnyModel: true),
        new("GET", "/api/v1/ledger/checkpoint", Permission.Read, call => CheckpointAsync(call, database, ledger), AnyModel: true),
        new("GET", "/api/v1/ledger/tile/{**path}", Permission.Read, call => TileAsync(call, database, ledger)),
        new("GET", "/api/v1/ledger/entries", Permission.Read, call => EntriesAsync(call, database), AnyModel: true),
        new("GET", "/api/v1/ledger/proof/{index}", Permission.Read, call => ProofAsync(call, database, ledger), AnyModel: true),
        new("POST", "/api/v1/ledger/entries/{index}/erase", Permission.Administer, call => EraseAsync(call, database, ledger)),
    ];

    public static async Task CheckpointAsync(ApiCall call, Database database, LedgerWriter ledger)
    {
        var head = await database.ReadAsync(session => LedgerHead.ReadAsync(session, ledger.Verifier), call.Cancellation);
        await AnswerAsync(call, head.Note, Text, Fresh);
    }

    private static async Task TileAsync(ApiCall call, Database database, LedgerWriter ledger)
    {
        var path = "tile/" + call.Segment("path");
        if (!TilePath.TryParse(path, out var tile))
            throw ApiProblem.NotThere("not-found", $"'{path}' is no tile");
        var bytes = await database.ReadAsync(
            async session => tile.IsIn((await LedgerHead.ReadAsync(session, ledger.Verifier)).Checkpoint.Size) ? await LedgerTree.TileAsync(session, tile) : throw ApiProblem.NotThere("not-found", $"the ledger has no {path} yet"),
            call.Cancellation);
        await AnswerAsync(call, bytes, Bytes, Forever);
    }

    private static async Task EntriesAsync(ApiCall call, Database database)
    {
        var search = new LedgerSearch
        {
            After = Number(call, "after", -1),
            Before = Number(call, "before", 0),
            Since = Number(call, "since", 0),
            Until = Number(call, "until", 0),
            Limit = Number(call, "limit", 1) is { } limit ? (int)Math.Min(limit, LedgerSearch.MaxLimit) : LedgerSearch.DefaultLimit,
            Subject = call.Query("subject"),
            Action = call.Query("action"),
            Actor = call.Query("actor"),
            Models = call.Caller.May(Permission.Read, null) ? null : [.. call.Caller.Grants.Where(grant => grant.Permission == Permission.Read).Select(grant => grant.Model).Distinct()],
        };
        var rows = await database.ReadAsync(search.FindAsync, call.Cancellation);
        // The column that was searched by is a copy; what a caller may see is decided by the leaf itself.
        var records = rows.Select(row => row.Read()).Where(record => LedgerRow.MayRead(call.Caller, record.Entry));
        await call.AnswerAsync(records.ToImmutableArray(), LedgerJson.Default.ImmutableArrayLedgerRecord);
    }

    public static async Task ProofAsync(ApiCall call, Database database, LedgerWriter ledger)
    {
        var index = Index(call);
        var proof = await database.ReadAsync(
            async session =>
            {
                var head = await LedgerHead.ReadAsync(session, ledger.Verifier);
                var row = await LedgerRow.FindAsync(session, index);
                // What a caller may not see is not told from what is not there.
                if (row is null || index >= head.Checkpoint.Size || row.Read() is var record && !LedgerRow.MayRead(call.Caller, record.Entry))
                    throw ApiProblem.NotThere("not-found", $"the ledger has no entry {index} that {call.Caller.Name} may read");
                var inclusion = await LedgerTree.ProveInclusionAsync(session, index, head.Checkpoint.Size);
                if (inclusion.Verify(row.Leaf, head.Checkpoint.Root) is var verdict and not InclusionProof.Verdict.Included)
                    throw LedgerHead.Damaged($"entry {index} and the stored hashes do not lead to the signed root ({verdict})");
                var extra = CanonicalJson.Serialize(call.Query("payload") == "true" ? record : record with { Payload = null }, LedgerJson.Default.LedgerRecord);
                return new TlogProof(index, inclusion.Path, [.. head.Note], [.. extra]);
            },
            call.Cancellation);
        await AnswerAsync(call, proof.Write(), Text, Fresh);
    }

    private static async Task EraseAsync(ApiCall call, Database database, LedgerWriter ledger)
    {
        var index = Index(call);
        var request = await call.ReadAsync(LedgerJson.Default.LedgerErasureRequest);
        var answer = await database.ChangeAsync(session => LedgerErasure.EraseAsync(session, ledger, call.Caller, index, request.Reason), call.Cancellation);
        await database.ScrubAsync("ledger_entries", call.Cancellation);
        await call.AnswerAsync(answer, LedgerJson.Default.LedgerErasureAnswer);
    }

    private static long Index(ApiCall call) =>
        long.TryParse(call.Segment("index"), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : throw ApiProblem.NotThere("not-found", $"'{call.Segment("index")}' is no index of an entry");

    private static long? Number(ApiCall call, string name, long least)
    {
        if (call.Query(name) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least
            ? number
            : throw ApiProblem.Malformed("bad-request", $"'{name}' is '{text}', allowed is a whole number of at least {least}");
    }

    private static async Task AnswerAsync(ApiCall call, byte[] bytes, string type, string caching)
    {
        var response = call.Http.Response;
        response.ContentType = type;
        response.ContentLength = bytes.Length;
        response.Headers.CacheControl = caching;
        await response.Body.WriteAsync(bytes, call.Cancellation);
    }
}
