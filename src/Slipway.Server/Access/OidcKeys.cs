using System.Collections.Immutable;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Slipway.Documents.Access;

namespace Slipway.Server.Access;

/// <summary>An identity provider's public keys: found by discovery, fetched again when they are old or a token names one that is new.</summary>
internal sealed class OidcKeys(OidcTrust trust, HttpClient http, TimeProvider time) : IDisposable
{
    /// <summary>Keys that were withdrawn are forgotten within that time.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(1);

    /// <summary>While the provider does not answer, its old keys count for so long.</summary>
    private static readonly TimeSpan Stale = TimeSpan.FromHours(24);

    /// <summary>Made-up key ids cause no more requests to the provider than one in this time.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim fetching = new(1, 1);
    private State state = new([], DateTimeOffset.MinValue, DateTimeOffset.MinValue);

    /// <param name="unknown">Keys that did not do, so newer ones are wanted; null for any.</param>
    /// <returns>The keys; the same instance where there are no newer ones. Empty when the provider never answered, or not for long.</returns>
    public async Task<ImmutableArray<SecurityKey>> GetAsync(ImmutableArray<SecurityKey>? unknown, CancellationToken cancellation)
    {
        if (IsGood(state, unknown))
            return state.Keys;
        // While somebody asks a provider that is slow, its old keys do: nobody else waits for it.
        var old = unknown is null ? Usable : [];
        if (!await fetching.WaitAsync(old.IsEmpty ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, cancellation))
            return old;
        try
        {
            if (!IsGood(state, unknown) && time.GetUtcNow() - state.TriedAt >= Pause)
            {
                // The pause begins after the answer, or who waited for it would each ask again.
                var begun = time.GetUtcNow();
                state = await FetchAsync(cancellation) is { } keys ? new(keys, begun, time.GetUtcNow()) : state with { TriedAt = time.GetUtcNow() };
            }

            return Usable;
        }
        finally
        {
            fetching.Release();
        }
    }

    public void Dispose() => fetching.Dispose();

    private ImmutableArray<SecurityKey> Usable => time.GetUtcNow() - state.FetchedAt < Stale ? state.Keys : [];

    private bool IsGood(State held, ImmutableArray<SecurityKey>? unknown) =>
        time.GetUtcNow() - held.FetchedAt < Fresh && (unknown is null || unknown.Value != held.Keys);

    /// <returns>Null when the provider does not answer, or not as one.</returns>
    private async Task<ImmutableArray<SecurityKey>?> FetchAsync(CancellationToken cancellation)
    {
        try
        {
            // The provider may send its keys' address without TLS only where it itself is on this machine.
            var retriever = new HttpDocumentRetriever(http) { RequireHttps = trust.Issuer.StartsWith("https:", StringComparison.Ordinal) };
            var found = await OpenIdConnectConfigurationRetriever.GetAsync(trust.Issuer.TrimEnd('/') + "/.well-known/openid-configuration", retriever, cancellation);
            return found.Issuer == trust.Issuer ? [.. found.SigningKeys.Where(key => key is not SymmetricSecurityKey)] : null;
        }
        catch (Exception e) when (e is IOException or HttpRequestException or InvalidOperationException or ArgumentException || e is OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    private sealed record State(ImmutableArray<SecurityKey> Keys, DateTimeOffset FetchedAt, DateTimeOffset TriedAt);
}
