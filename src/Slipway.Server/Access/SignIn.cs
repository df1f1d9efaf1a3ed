using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;

namespace Slipway.Server.Access;

/// <summary>The one way in, for the API's callers and for the pages': tells who calls, and slows down whoever guesses.</summary>
internal sealed class SignIn(PrincipalDirectory directory, TimeProvider time)
{
    private const string Scheme = "Bearer ";

    private readonly FailedSignIns failed = new(time);

    /// <summary>By the Authorization header; nobody where there is none.</summary>
    /// <inheritdoc cref="ByTokenAsync" path="/exception"/>
    public async Task<Caller> ByHeaderAsync(HttpContext http) => http.Request.Headers[HeaderNames.Authorization] switch
    {
        [] => Caller.Nobody,
        [{ } header] when header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) => await ByTokenAsync(http, header[Scheme.Length..].Trim()),
        _ => throw Failed(http, PrincipalDirectory.Refused("bad-token", "the Authorization header is not one of 'Bearer TOKEN'")),
    };

    /// <summary>By a token that came with the request in another way.</summary>
    /// <exception cref="ApiProblem">
    /// The token proves nothing (401), as too many from this address did (429); nobody can tell now (503). A good token is always taken:
    /// others behind the same address may guess as they like.
    /// </exception>
    public async Task<Caller> ByTokenAsync(HttpContext http, string token)
    {
        try
        {
            return await directory.IdentifyAsync(token, http.RequestAborted);
        }
        catch (ApiProblem e) when (e.Status == StatusCodes.Status401Unauthorized)
        {
            throw Failed(http, e);
        }
    }

    private ApiProblem Failed(HttpContext http, ApiProblem problem)
    {
        if (failed.Add(http.Connection.RemoteIpAddress) is not { } wait)
            return problem;
        http.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return new ApiProblem(
            StatusCodes.Status429TooManyRequests,
            new Fault("too-many-failures", "too many calls with tokens that prove nothing came from this address", Help: "check the token with `slipway login`, and try again later"));
    }
}
