using Microsoft.AspNetCore.Http;
using Slipway.Server.Api;

namespace Slipway.Server.Access;

/// <summary>Who may do what: principals, their grants, and the tokens that prove them.</summary>
internal sealed class PrincipalDirectory
{
    private static readonly Caller Nobody = new("nobody", "nobody", [], [], []);

    /// <summary>Who calls; nobody when there is no token.</summary>
    /// <exception cref="ApiProblem">A token that is unknown, expired or revoked (401).</exception>
    public Task<Caller> IdentifyAsync(HttpContext http) => Task.FromResult(Nobody);
}
