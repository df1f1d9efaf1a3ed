using System.Net.Http.Headers;
using System.Text;

namespace Slipway.Store.Registries;

/// <summary>How a registry wants its callers to prove who they are. Source: RFC 9110 §11.6.1; distribution-spec leaves the rest to docker's token authentication.</summary>
/// <param name="Realm">Of a token server, an address; null for basic authentication.</param>
internal sealed record RegistryChallenge(string? Realm, string? Service, string? Scope)
{
    /// <summary>Most characters of a challenge that are read; a longer one is ignored, which ends in the fault that it was not met.</summary>
    private const int Longest = 4096;

    /// <summary>The first challenge that can be met, a token server's before basic authentication; null where there is none.</summary>
    public static RegistryChallenge? Of(HttpResponseHeaders headers)
    {
        var basic = (RegistryChallenge?)null;
        foreach (var offered in headers.WwwAuthenticate.Take(8))
        {
            var values = Parse(offered.Parameter is { Length: <= Longest } parameter ? parameter : "");
            if (offered.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase) && values.TryGetValue("realm", out var realm))
                return new RegistryChallenge(realm, values.GetValueOrDefault("service"), values.GetValueOrDefault("scope"));
            if (offered.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
                basic ??= new RegistryChallenge(null, null, null);
        }

        return basic;
    }

    /// <summary><c>name=value</c> or <c>name="value"</c>, divided by commas; what is malformed ends the list.</summary>
    private static Dictionary<string, string> Parse(string text)
    {
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var at = 0; at < text.Length;)
        {
            while (at < text.Length && text[at] is ' ' or ',' or '\t')
                at++;
            var equals = text.IndexOf('=', at);
            if (equals < 0)
                break;
            var (name, value) = (text[at..equals].Trim(), new StringBuilder());
            at = equals + 1;
            if (at < text.Length && text[at] == '"')
            {
                for (at++; at < text.Length && text[at] != '"'; at++)
                    value.Append(text[at] == '\\' && at + 1 < text.Length ? text[++at] : text[at]);
                at++;
            }
            else
            {
                while (at < text.Length && text[at] != ',')
                    value.Append(text[at++]);
            }

            values.TryAdd(name, value.ToString());
        }

        return values;
    }
}
