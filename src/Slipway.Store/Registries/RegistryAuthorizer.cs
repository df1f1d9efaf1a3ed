using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using Slipway.Primitives.Faults;

namespace Slipway.Store.Registries;

/// <summary>Meets a registry's challenges: keeps what it showed last for each scope, and asks the token server that the registry named.</summary>
/// <remarks>
/// Source: docker's token authentication (GET, and POST for identity tokens) and RFC 6749 §6. Credentials go to the registry itself and to the realm that it
/// named over a connection that is trusted (TLS, or this machine), and nowhere else. Thread-safe.
/// </remarks>
internal sealed class RegistryAuthorizer(Uri registry, string place, HttpClient http, RegistryCredential? credential, RegistryOptions options)
{
    /// <summary>Most bytes of a token server's answer; more is a fault.</summary>
    private const int MaxAnswer = 1 << 20;

    private readonly ConcurrentDictionary<string, AuthenticationHeaderValue> shown = new(StringComparer.Ordinal);

    /// <summary>What is to be shown for a scope; null before the registry has asked.</summary>
    public AuthenticationHeaderValue? For(string scope) => shown.GetValueOrDefault(scope);

    /// <summary>Meets a challenge, so that <see cref="For"/> has something newer than what was refused.</summary>
    /// <param name="refused">What was shown with the request that was challenged.</param>
    /// <returns>False where there is nothing more to show.</returns>
    /// <exception cref="SlipwayException">The token server refuses, or is none (exit 3).</exception>
    public async Task<bool> MeetAsync(RegistryChallenge? challenge, string scope, AuthenticationHeaderValue? refused, CancellationToken cancellation)
    {
        if (challenge is null)
            return false;
        // Another request of the same scope may have met it meanwhile.
        if (shown.TryGetValue(scope, out var now) && !now.Equals(refused))
            return true;
        if (challenge.Realm is null)
        {
            if (credential is null or { IsIdentityToken: true } || refused is not null)
                return false;
            shown[scope] = new AuthenticationHeaderValue("Basic", credential.Basic);
            return true;
        }

        var token = await TokenAsync(challenge, scope, cancellation);
        shown[scope] = new AuthenticationHeaderValue("Bearer", token);
        return refused?.Parameter != token;
    }

    private async Task<string> TokenAsync(RegistryChallenge challenge, string scope, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(challenge.Realm, UriKind.Absolute, out var realm) || !RegistryAddress.MayCall(registry, realm))
            throw RegistryFault.Strange(place, "names a token server that is no https address: no credentials go there");
        var scopes = scope.Split(' ').Concat(challenge.Scope?.Split(' ') ?? []).Where(text => text.Length > 0).Distinct().ToArray();
        using var request = credential is { IsIdentityToken: true } ? Exchange(realm, challenge.Service, scopes) : Ask(realm, challenge.Service, scopes);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(options.Silence);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            if (RegistryConnection.Passes(response.StatusCode))
                throw new HttpRequestException($"the token server {realm.Authority} answered {(int)response.StatusCode}");
            if (!response.IsSuccessStatusCode)
                throw await RegistryFault.OfAsync(response, $"the token server {realm.Authority}", options.Silence, cancellation);
            var body = await BoundedBody.ReadAsync(response, MaxAnswer, options.Silence, cancellation) ?? throw Unusable(realm);
            var answer = JsonSerializer.Deserialize(body, RegistryJson.Default.RegistryToken);
            var token = answer?.Token is { Length: > 0 } first ? first : answer?.AccessToken;
            return token is { Length: > 0 } && token.All(c => c is > ' ' and < '\x7f') ? token : throw Unusable(realm);
        }
        catch (JsonException)
        {
            throw Unusable(realm);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"the token server {realm.Authority} did not answer for {options.Silence.TotalSeconds} seconds", e);
        }
    }

    private HttpRequestMessage Ask(Uri realm, string? service, string[] scopes)
    {
        var asked = scopes.Select(scope => ("scope", scope)).Prepend(("service", service ?? ""))
            .Where(pair => pair.Item2.Length > 0).Select(pair => $"{pair.Item1}={Uri.EscapeDataString(pair.Item2)}");
        var query = string.Join('&', new[] { realm.Query.TrimStart('?') }.Concat(asked).Where(part => part.Length > 0));
        var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(realm) { Query = query }.Uri);
        if (credential is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", credential.Basic);
        return request;
    }

    private HttpRequestMessage Exchange(Uri realm, string? service, string[] scopes) => new(HttpMethod.Post, realm)
    {
        Content = new FormUrlEncodedContent(
        [
            new("grant_type", "refresh_token"), new("service", service ?? ""), new("client_id", "slipway"),
            new("scope", string.Join(' ', scopes)), new("refresh_token", credential!.Secret),
        ]),
    };

    private static SlipwayException Unusable(Uri realm) =>
        RegistryFault.Strange($"the token server {realm.Authority}", $"answered no token, or more than {MaxAnswer} bytes");
}
