using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Ledger;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>A server's ledger, read over its API. Nothing that it says is believed.</summary>
internal sealed class ServerLedger(ServerClient server) : ILedgerSource
{
    public const string Root = "api/v1/ledger/";

    /// <summary>As many as a page may have.</summary>
    private const int PageSize = 1000;

    public async Task<byte[]> ReadAsync(string path, int maxBytes, CancellationToken cancellation)
    {
        try
        {
            using var response = await server.SendAsync(new HttpRequestMessage(HttpMethod.Get, Root + path), cancellation);
            await response.Content.LoadIntoBufferAsync(maxBytes, cancellation);
            return await response.Content.ReadAsByteArrayAsync(cancellation);
        }
        catch (SlipwayException e) when (e.Exit == ExitCode.UnusableInput && path.StartsWith("tile/", StringComparison.Ordinal))
        {
            // What a checkpoint says is there and is not: no mistake of the caller's.
            throw new SlipwayException(ExitCode.BadVerdict, e.Faults, e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new SlipwayException(ExitCode.BadVerdict, new Fault("ledger-file-unreadable", $"{path} has more than {maxBytes} bytes"), e);
        }
        catch (HttpRequestException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("server-unreachable", $"{server.Url} broke off in the middle of {path}", Help: "try again"), e);
        }
    }

    public async Task<ImmutableArray<LedgerRecord>?> EntriesAsync(long after, CancellationToken cancellation) =>
        await server.GetAsync(
            string.Create(CultureInfo.InvariantCulture, $"{Root}entries?after={after}&limit={PageSize}"), LedgerJson.Default.ImmutableArrayLedgerRecord, cancellation);
}
