using Microsoft.AspNetCore.Http;

namespace Slipway.Server.Api;

/// <summary>One thing that the server answers. The table of them all is what access is tested against.</summary>
/// <param name="Method">Such as <c>GET</c>.</param>
/// <param name="Path">Route pattern below the listener's root; a segment <c>{model}</c> is the model that the permission is asked over.</param>
/// <param name="Permission">
/// Asked before anything is read. Without <c>{model}</c> in the path it is asked over all models, or, where
/// <paramref name="AnyModel"/>, over at least one: then the handler shows only what the caller may see.
/// </param>
/// <param name="Answer">Handles the call; a <c>SlipwayException</c> or <see cref="ApiProblem"/> becomes an error document.</param>
internal sealed record ApiEndpoint(string Method, string Path, Permission Permission, Func<ApiCall, Task> Answer, bool AnyModel = false)
{
    /// <summary>Largest body in bytes; uploads of blobs say their own.</summary>
    public long BodyLimit { get; init; } = 1024 * 1024;
}
