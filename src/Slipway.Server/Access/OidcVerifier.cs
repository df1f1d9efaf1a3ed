using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Slipway.Documents.Access;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;

namespace Slipway.Server.Access;

/// <summary>Checks the tokens of the identity providers that the server trusts.</summary>
/// <remarks>Source: RFC 7519 (JWT), RFC 8725 (its best practice), OpenID Connect Discovery 1.0.</remarks>
internal sealed class OidcVerifier : IDisposable
{
    /// <summary>What a provider's documents may have at most; real ones have some 10 KB.</summary>
    private const int LargestDocument = 1024 * 1024;

    /// <summary>A subject is at most 255 ASCII characters (OpenID Connect Core 1.0, section 2).</summary>
    private const int LongestSubject = 255;

    /// <summary>Of groups that are looked at; providers themselves cut the list at about 200.</summary>
    private const int MostGroups = 1000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Two machines' clocks may differ by so much.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    /// <summary>Only signatures that a public key checks: a shared secret, or none, proves nothing here.</summary>
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    /// <summary>A logout token, say, has issuer, audience and subject too.</summary>
    private static readonly string[] Types = ["JWT", "at+jwt", "application/at+jwt"];

    private readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false };
    private readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = Patience, MaxResponseContentBufferSize = LargestDocument };
    private readonly ImmutableDictionary<string, (OidcTrust Trust, OidcKeys Keys)> providers;
    private readonly TimeProvider time;

    public OidcVerifier(ImmutableArray<OidcTrust> trusted, TimeProvider time)
    {
        if (trusted.Select(trust => trust.Problem()).FirstOrDefault(problem => problem is not null) is { } problem)
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-oidc", problem));
        this.time = time;
        providers = trusted.ToImmutableDictionary(trust => trust.Issuer, trust => (trust, new OidcKeys(trust, http, time)), StringComparer.Ordinal);
    }

    /// <exception cref="ApiProblem">It proves nothing (401), or the provider's keys cannot be had (503).</exception>
    public async Task<OidcIdentity> VerifyAsync(string token, CancellationToken cancellation)
    {
        // Read before it is checked, and only to know whose keys to check it with.
        if (!TryRead(token, out var unverified))
            throw ApiProblem.Unproven("token-unknown", "this is no token of a kind that this server takes", "was it copied as a whole? `slipway access token new` makes one");
        if (unverified.Issuer is not { Length: > 0 } issuer || !providers.TryGetValue(issuer, out var provider))
            throw Refused("token-unknown", "this token is of no identity provider that this server trusts");
        var keys = await provider.Keys.GetAsync(null, cancellation);
        var result = await ValidateAsync(token, provider.Trust, keys);
        if (result.Exception is SecurityTokenSignatureKeyNotFoundException && await provider.Keys.GetAsync(keys, cancellation) is var newer && newer != keys)
            result = await ValidateAsync(token, provider.Trust, keys = newer);
        if (keys.IsEmpty)
            throw new ApiProblem(StatusCodes.Status503ServiceUnavailable, new Fault("provider-unreachable", $"{provider.Trust.Issuer} does not tell its keys", Help: "try again later; API tokens go on working"));
        return result.IsValid ? IdentityOf((JsonWebToken)result.SecurityToken, provider.Trust) : throw Refused(result.Exception);
    }

    public void Dispose()
    {
        foreach (var (_, keys) in providers.Values)
            keys.Dispose();
        http.Dispose();
    }

    private Task<TokenValidationResult> ValidateAsync(string token, OidcTrust trust, ImmutableArray<SecurityKey> keys) => handler.ValidateTokenAsync(token, new TokenValidationParameters
    {
        ValidIssuer = trust.Issuer,
        ValidAudience = trust.Audience,
        IssuerSigningKeys = keys,
        TryAllIssuerSigningKeys = false,
        ValidAlgorithms = Algorithms,
        TypeValidator = (type, _, _) => type is null or "" || Types.Contains(type, StringComparer.OrdinalIgnoreCase) ? type : throw new SecurityTokenInvalidTypeException($"its type is '{type}'"),
        RequireSignedTokens = true,
        RequireExpirationTime = true,
        LifetimeValidator = (from, until, _, _) =>
        {
            var now = time.GetUtcNow().UtcDateTime;
            return until is null ? throw new SecurityTokenNoExpirationException()
                : now >= until + Skew ? throw new SecurityTokenExpiredException()
                : now < from - Skew ? throw new SecurityTokenNotYetValidException()
                : true;
        },
    });

    private static OidcIdentity IdentityOf(JsonWebToken token, OidcTrust trust)
    {
        if (token.Subject is not { Length: > 0 and <= LongestSubject } subject)
            throw Refused("token-invalid", "the token names no subject");
        foreach (var (claim, value) in trust.Require ?? ImmutableSortedDictionary<string, string>.Empty)
        {
            if (!token.TryGetPayloadValue<string>(claim, out var found) || found != value)
                throw Refused("token-not-ours", $"the token's {claim} is not '{value}'");
        }

        var groups = token.Claims.Where(claim => claim.Type == trust.GroupsClaim && claim.ValueType == System.Security.Claims.ClaimValueTypes.String).Select(claim => claim.Value).Take(MostGroups).ToImmutableArray();
        var name = new[] { "name", "preferred_username", "email" }.Select(claim => token.TryGetPayloadValue<string>(claim, out var found) ? Printable(found) : "").FirstOrDefault(found => found.Length > 0) ?? Printable(subject);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{trust.Issuer}\n{subject}")))[..32];
        return new(
            (trust.Kind == PrincipalKind.Person ? "user:" : "service:") + hash,
            name,
            trust,
            groups,
            [.. groups.SelectMany(group => trust.RolesOf(group)).Distinct()],
            new DateTimeOffset(token.ValidTo, TimeSpan.Zero).ToUnixTimeMilliseconds());
    }

    private bool TryRead(string token, out JsonWebToken read)
    {
        read = null!;
        // Three parts: an encrypted token (five) is none of ours.
        if (token.Count(c => c == '.') != 2)
            return false;
        try
        {
            read = handler.ReadJsonWebToken(token);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static string Printable(string name) => new string([.. name.Where(c => !ForeignText.IsHidden(c) && !char.IsSurrogate(c)).Take(Principal.LongestName)]).Trim();

    private static ApiProblem Refused(Exception e) => e switch
    {
        SecurityTokenExpiredException => Refused("token-expired", "the token expired"),
        SecurityTokenNotYetValidException => Refused("token-not-yet-valid", "the token is not valid yet"),
        SecurityTokenInvalidAudienceException => Refused("token-not-ours", "the token was made for another service"),
        SecurityTokenSignatureKeyNotFoundException => Refused("token-invalid", "the token is signed by a key that its provider does not have"),
        _ => Refused("token-invalid", "the token does not verify"),
    };

    private static ApiProblem Refused(string code, string message) =>
        ApiProblem.Unproven(code, message, "get a new token from your identity provider");
}

/// <summary>Who a provider's token says that the caller is.</summary>
/// <param name="Id">From issuer and subject, so always the same.</param>
/// <param name="Roles">What the groups in the token bring.</param>
/// <param name="Expires">Unix milliseconds.</param>
internal sealed record OidcIdentity(string Id, string Name, OidcTrust Trust, ImmutableArray<string> Groups, ImmutableArray<RoleGrant> Roles, long Expires);
