using Microsoft.AspNetCore.Http;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Web.Kit;

namespace Slipway.Server.Web;

/// <summary>What a browser may ask for without a session: to get one, to lose one, and what pages are made of.</summary>
internal sealed class SignInEndpoints(SignIn signIn, Sessions sessions, PageAnswers answers)
{
    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/sign-in", Permission.Anyone, ShowAsync),
        new("POST", "/sign-in", Permission.Anyone, SignInAsync) { BodyLimit = PageForm.Largest },
        new("POST", "/sign-out", Permission.Anyone, SignOutAsync) { BodyLimit = PageForm.Largest },
        .. PageAssets.All.Select(asset => new ApiEndpoint("GET", asset.Path, Permission.Anyone, call => AssetAsync(call, asset))),
    ];

    /// <summary>Who is signed in already goes on; whoever loads the page of a sign-in that failed sees it anew.</summary>
    private async Task ShowAsync(ApiCall call)
    {
        var to = PageForm.OwnPath(call.Query("to"));
        try
        {
            if (SessionCookie.Of(call.Http.Request) is { } session)
            {
                await sessions.ResumeAsync(session, isUse: true, call.Cancellation);
                PageAnswers.SendTo(call.Http, to);
                return;
            }
        }
        catch (ApiProblem)
        {
            // The session is over, which the form mends.
            SessionCookie.Take(call.Http);
        }

        await answers.ShowSignInAsync(call.Http, to);
    }

    private async Task SignInAsync(ApiCall call)
    {
        SessionCookie.RequireOwnPage(call.Http.Request);
        var form = await PageForm.ReadAsync(call);
        var to = PageForm.OwnPath(form.GetValueOrDefault("to"));
        try
        {
            var caller = await signIn.ByTokenAsync(call.Http, form.GetValueOrDefault("token", "").Trim());
            SessionCookie.Give(call.Http, await sessions.BeginAsync(caller, call.Cancellation));
        }
        catch (ApiProblem e)
        {
            await answers.ShowSignInAsync(call.Http, to, e);
            return;
        }

        PageAnswers.SendTo(call.Http, to);
    }

    /// <summary>Without a session, or with one that is over, there is nothing to end, and that is what was wanted.</summary>
    private async Task SignOutAsync(ApiCall call)
    {
        SessionCookie.RequireOwnPage(call.Http.Request);
        if (SessionCookie.Of(call.Http.Request) is { } session)
        {
            if (!session.Signed((await PageForm.ReadAsync(call)).GetValueOrDefault("form")))
                throw ApiProblem.Forbidden("other-session", "this form is not of your session", "load the page again, and sign out there");
            await sessions.EndAsync(session, call.Cancellation);
        }

        SessionCookie.Take(call.Http);
        PageAnswers.SendTo(call.Http, "/");
    }

    private static async Task AssetAsync(ApiCall call, PageAsset asset)
    {
        var response = call.Http.Response;
        var takesBrotli = call.Http.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.OrdinalIgnoreCase);
        var bytes = takesBrotli ? asset.Brotli : asset.Bytes;
        response.ContentType = asset.Type + "; charset=utf-8";
        response.Headers.CacheControl = "public, max-age=31536000, immutable";
        response.Headers.Vary = "Accept-Encoding";
        if (takesBrotli)
            response.Headers.ContentEncoding = "br";
        response.ContentLength = bytes.Length;
        await response.Body.WriteAsync(bytes, call.Cancellation);
    }
}
