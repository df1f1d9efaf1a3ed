using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Access;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Access;

/// <summary>Tells from a token who calls, and what they may do. Nothing is kept between calls: a revocation counts at once.</summary>
internal sealed class PrincipalDirectory(Database database, LedgerWriter ledger, ServerOptions options) : IDisposable
{
    /// <summary>Longest token that is looked at, in characters; those of identity providers with many groups have some 4,000.</summary>
    private const int LongestToken = 16 * 1024;

    /// <summary>How exactly a token's last use is known: writing it at each call would make every reader a writer.</summary>
    private static readonly TimeSpan LastUseStep = TimeSpan.FromHours(1);

    private static readonly Caller LocalGateway = CallerOf(
        new Principal("service:local-gateway", "the gateway beside the server", PrincipalKind.Service, [], [], Disabled: false, CreatedAt: 0), [new(Role.Gateway, RoleGrant.AllModels)], []);

    private readonly OidcVerifier oidc = new(options.Oidc, options.Time);
    private readonly TimeProvider time = options.Time;
    private readonly TokenSecret localGateway = TokenSecret.Create();

    /// <summary>Proves a gateway in this process. It is in no database, and ends with the process.</summary>
    public string LocalGatewayToken => localGateway.Text;

    /// <summary>Who calls with this token.</summary>
    /// <exception cref="ApiProblem">It is unknown, expired or revoked, or its principal is disabled (401); its provider's keys cannot be had (503).</exception>
    public async Task<Caller> IdentifyAsync(string token, CancellationToken cancellation)
    {
        if (token.Length > LongestToken)
            throw Refused("bad-token", $"the token has {token.Length} characters, allowed are {LongestToken}");
        return TokenSecret.Parse(token) is not { } secret ? await IdentifyAsync(await oidc.VerifyAsync(token, cancellation), cancellation)
            : secret.Hash == localGateway.Hash ? LocalGateway
            : await IdentifyAsync(secret, cancellation);
    }

    /// <summary>Whose session it is. What it was made with is looked at as if it had come with this request.</summary>
    /// <exception cref="ApiProblem">The token is expired or revoked, or the principal disabled (401).</exception>
    public async Task<Caller> IdentifyAsync(StoredSession stored, CancellationToken cancellation)
    {
        var (token, principal, keys) = await database.ReadAsync(
            async session => (
                stored.Token is null ? null : await TokenTable.FindAsync(session, stored.Token),
                await PrincipalTable.FindAsync(session, stored.Principal),
                await TrustedKeyTable.OfOwnerAsync(session, stored.Principal)),
            cancellation);
        return stored.Provided is { } provided && principal is not null
            ? Provided(principal, provided, keys) with { Expires = stored.ExpiresAt }
            : await ProvenAsync(token, principal, keys, cancellation);
    }

    public void Dispose() => oidc.Dispose();

    private async Task<Caller> IdentifyAsync(TokenSecret secret, CancellationToken cancellation)
    {
        var (token, principal, keys) = await database.ReadAsync<(ApiToken?, Principal?, ImmutableArray<string>)>(
            async session => await TokenTable.FindAsync(session, secret) is not { } found
                ? (null, null, [])
                : (found, await PrincipalTable.FindAsync(session, found.Principal), await TrustedKeyTable.OfOwnerAsync(session, found.Principal)),
            cancellation);
        return await ProvenAsync(token, principal, keys, cancellation);
    }

    private async Task<Caller> ProvenAsync(ApiToken? token, Principal? principal, ImmutableArray<string> keys, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (token is null || principal is null)
            throw Refused("token-unknown", "this token is not known here");
        if (token.RevokedAt is not null)
            throw Refused("token-revoked", $"the token '{token.Label}' was revoked");
        if (now >= token.ExpiresAt)
            throw Refused("token-expired", $"the token '{token.Label}' expired on {Day(token.ExpiresAt)}");
        if (principal.Disabled)
            throw Disabled(principal);
        await NoteUseAsync(token, now, cancellation);
        return CallerOf(principal, RoleTable.Narrow(principal.Roles, token.Scope), keys) with { Token = token, Expires = token.ExpiresAt };
    }

    /// <summary>What the provider says of groups counts now, and is not kept; what an administrator granted here comes on top.</summary>
    private async Task<Caller> IdentifyAsync(OidcIdentity identity, CancellationToken cancellation)
    {
        var (principal, keys) = await database.ReadAsync(
            async session => (await PrincipalTable.FindAsync(session, identity.Id), await TrustedKeyTable.OfOwnerAsync(session, identity.Id)), cancellation);
        principal ??= await database.ChangeAsync(session => FirstSeenAsync(session, identity), cancellation);
        return Provided(principal, new(identity.Groups, identity.Roles), keys) with { Expires = identity.Expires };
    }

    private static Caller Provided(Principal principal, ProvidedRights provided, ImmutableArray<string> keys) => principal.Disabled
        ? throw Disabled(principal)
        : CallerOf(principal with { Groups = [.. principal.Groups.Union(provided.Groups)] }, [.. principal.Roles.Union(provided.Roles)], keys) with { Provided = provided };

    private async Task<Principal> FirstSeenAsync(Session session, OidcIdentity identity)
    {
        if (await PrincipalTable.FindAsync(session, identity.Id) is { } known)
            return known;
        var principal = new Principal(identity.Id, identity.Name, identity.Trust.Kind, [], [], Disabled: false, time.GetUtcNow().ToUnixTimeMilliseconds());
        await ledger.RecordAsync(session, LedgerWriter.Server, "principal.created", [Subjects.Of(principal)], $"First call with a token of {identity.Trust.Issuer}.", Subjects.Data(principal, AccessJson.Default.Principal));
        await PrincipalTable.SaveAsync(session, principal);
        return principal;
    }

    private async Task NoteUseAsync(ApiToken token, long now, CancellationToken cancellation)
    {
        if (token.LastUsedAt is { } last && now - last < LastUseStep.TotalMilliseconds)
            return;
        try
        {
            await database.ChangeAsync(session => TokenTable.TouchAsync(session, token.Id, now), cancellation);
        }
        catch (SlipwayException)
        {
            // A full disk must not keep readers out: the next call tries again.
        }
    }

    private static Caller CallerOf(Principal principal, ImmutableArray<RoleGrant> roles, ImmutableArray<string> keys) =>
        new(principal.Id, principal.Name, principal.Groups, keys, RoleTable.Expand(roles)) { Kind = principal.Kind, Roles = roles };

    private static ApiProblem Disabled(Principal principal) => Refused("principal-disabled", $"{principal.Name} is disabled here");

    private static string Day(long time) => DateTimeOffset.FromUnixTimeMilliseconds(time).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static ApiProblem Refused(string code, string message) =>
        ApiProblem.Unproven(code, message, "an administrator makes tokens with `slipway access token new`; give yours to `slipway login`");
}
